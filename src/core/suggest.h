// "Did you mean": the known name that is nearest to what was typed.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace vernier {

/// Insertions, deletions, replacements and swaps of neighbours between two words.
int EditDistance(std::string_view a, std::string_view b);

/// The nearest of `known` when it is near enough to be meant, else empty.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> known);

/// The nearest `most` at most of those that are near enough, the nearest first.
std::vector<std::string_view> NearestFew(std::string_view word,
                                         std::span<const std::string_view> known, size_t most);

}  // namespace vernier
