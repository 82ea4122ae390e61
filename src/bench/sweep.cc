#include "bench/sweep.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr size_t kMostValues = 1000;
constexpr int64_t kLargest = 1'000'000'000;

[[noreturn]] void Refuse(std::string_view part) {
  throw Error(ErrorKind::kUsage,
              fmt::format("expected positive whole numbers, found '{}'", part.substr(0, 40)),
              "write a list (1,4,8) or ranges (1-4, 8-32+8, 1-64*2)");
}

std::optional<int64_t> ParsePositive(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 1 || value > kLargest) return std::nullopt;
  return value;
}

struct Range {
  int64_t first = 1;
  int64_t last = 1;
  int64_t step = 1;
  bool multiply = false;
};

Range ParseRange(std::string_view part) {
  const size_t dash = part.find('-');
  Range range;
  std::string_view last = part;
  if (dash != std::string_view::npos) {
    last = part.substr(dash + 1);
    if (const size_t sign = last.find_first_of("+*"); sign != std::string_view::npos) {
      const auto step = ParsePositive(last.substr(sign + 1));
      range.multiply = last[sign] == '*';
      if (!step || (range.multiply && *step < 2)) Refuse(part);
      range.step = *step;
      last = last.substr(0, sign);
    }
  }
  const auto first_value = ParsePositive(part.substr(0, dash));
  const auto last_value = ParsePositive(last);
  if (!first_value || !last_value || *first_value > *last_value) Refuse(part);
  range.first = *first_value;
  range.last = *last_value;
  return range;
}

}  // namespace

std::vector<int64_t> ParseSweep(std::string_view text) {
  std::vector<int64_t> values;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const Range range = ParseRange(text.substr(begin, end - begin));
    for (int64_t v = range.first; v <= range.last;
         v = range.multiply ? v * range.step : v + range.step) {
      if (values.size() == kMostValues) {
        throw Error(ErrorKind::kUsage, fmt::format("more than {} values in a list", kMostValues),
                    "use a larger step (1-1000+100) or a factor (1-1000*2)");
      }
      values.push_back(v);
    }
    begin = end + 1;
  }
  return values;
}

}  // namespace vernier
