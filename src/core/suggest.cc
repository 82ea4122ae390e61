#include "core/suggest.h"

#include <algorithm>
#include <vector>

namespace vernier {
namespace {

// Longer words are not mistyped names, and the table grows with the square of the length. Paths of
// modules have up to some sixty letters.
constexpr size_t kLongestWord = 80;

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<int> table((a.size() + 1) * width);
  const auto at = [&](size_t i, size_t j) -> int& { return table[i * width + j]; };
  for (size_t i = 0; i <= a.size(); ++i) at(i, 0) = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j) at(0, j) = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replace = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(a.size(), b.size());
}

std::string_view Nearest(std::string_view word, std::span<const std::string_view> known) {
  const std::vector<std::string_view> found = NearestFew(word, known, 1);
  return found.empty() ? std::string_view() : found[0];
}

std::vector<std::string_view> NearestFew(std::string_view word,
                                         std::span<const std::string_view> known, size_t most) {
  if (word.size() > kLongestWord) return {};
  struct Near {
    int distance;
    std::string_view name;
  };
  std::vector<Near> near;
  const int farthest = static_cast<int>(std::max<size_t>(word.size() / 3, 1));
  for (std::string_view name : known) {
    if (const int distance = EditDistance(word, name); distance <= farthest) {
      near.push_back({distance, name});
    }
  }
  std::ranges::stable_sort(near, {}, &Near::distance);
  std::vector<std::string_view> names;
  for (size_t i = 0; i < std::min(near.size(), most); ++i) names.push_back(near[i].name);
  return names;
}

}  // namespace vernier
