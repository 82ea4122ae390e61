#include "verify/ascend_names.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

namespace vernier {
namespace {

std::vector<std::string_view> SplitAtDots(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('.', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return {};
  return value;
}

// Seconds since 1970 have ten digits; the tools write micro- or milliseconds.
bool IsTimestamp(std::string_view text) { return text.size() >= 10 && Number(text).has_value(); }

}  // namespace

std::string AscendName::TensorIndex() const {
  return fmt::format("{}:{}:{}", op_name, input ? "input" : "output", index);
}

std::optional<AscendName> ParseAscendName(std::string_view file_name) {
  constexpr std::string_view kEnding = ".npy";
  if (!file_name.ends_with(kEnding)) return {};
  const auto parts = SplitAtDots(file_name.substr(0, file_name.size() - kEnding.size()));
  if (parts.size() == 3) {
    const auto index = Number(parts[1]);
    if (!index || !IsTimestamp(parts[2]) || parts[0].empty()) return {};
    return AscendName{.op_name = std::string(parts[0]), .index = *index};
  }
  if (parts.size() != 6 && parts.size() != 7) return {};
  const std::string_view direction = parts[parts.size() - 2];
  const auto index = Number(parts.back());
  const auto task = Number(parts[2]);
  if (!index || !task || !IsTimestamp(parts[parts.size() - 3])) return {};
  if (direction != "input" && direction != "output") return {};
  return AscendName{.op_type = std::string(parts[0]),
                    .op_name = std::string(parts[1]),
                    .input = direction == "input",
                    .index = *index,
                    .order = *task};
}

}  // namespace vernier
