#include "verify/name_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "vernier/error.h"

namespace vernier {
namespace {

/// What each * of `pattern` stands for in `text`, the earlier ones as short as can be.
bool Capture(std::string_view pattern, std::string_view text,
             std::vector<std::string_view>& captured) {
  const size_t star = pattern.find('*');
  if (text.substr(0, std::min(star, pattern.size())) != pattern.substr(0, star)) return false;
  if (star == std::string_view::npos) return text == pattern;
  const std::string_view rest = pattern.substr(star + 1);
  for (size_t length = 0; star + length <= text.size(); ++length) {
    captured.push_back(text.substr(star, length));
    if (Capture(rest, text.substr(star + length), captured)) return true;
    captured.pop_back();
  }
  return false;
}

}  // namespace

NameMap NameMap::Parse(std::string_view text) {
  constexpr size_t kMostStars = 4;  // each makes matching slower by a factor of the name's length
  NameMap map;
  map.text_ = text;
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--map: expected REFERENCE=CANDIDATE, found '{}'", text.substr(0, 80)),
                "for example --map 'vit.*=*'");
  }
  map.from_ = text.substr(0, equals);
  map.to_ = text.substr(equals + 1);
  const auto stars = static_cast<size_t>(std::ranges::count(map.from_, '*'));
  if (static_cast<size_t>(std::ranges::count(map.to_, '*')) != stars || stars > kMostStars) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--map '{}': both sides need the same number of *, at most {}", text,
                            kMostStars),
                "for example --map 'vit.*=*'");
  }
  return map;
}

std::optional<std::string> NameMap::Apply(std::string_view reference) const {
  std::vector<std::string_view> captured;
  if (!Capture(from_, reference, captured)) return {};
  std::string name;
  size_t next = 0;
  for (const char c : to_) {
    if (c == '*') {
      name += captured[next++];
    } else {
      name += c;
    }
  }
  return name;
}

}  // namespace vernier
