#include "metrics/text_edits.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "core/unicode.h"

namespace vernier {
namespace {

constexpr double kAnlsThreshold = 0.5;

template <typename Sequence>
int64_t Levenshtein(const Sequence& a, const Sequence& b) {
  std::vector<int64_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), int64_t{0});
  for (const auto& unit : a) {
    int64_t diagonal = row[0]++;
    for (size_t i = 0; i < b.size(); ++i) {
      const int64_t above = row[i + 1];
      row[i + 1] = std::min({above + 1, row[i] + 1, diagonal + (unit == b[i] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::vector<std::u32string> Words(std::string_view text) {
  std::vector<std::u32string> words;
  bool inside = false;
  for (char32_t code : CodePoints(text)) {
    const bool space = IsSpace(code);
    if (!space && !inside) words.emplace_back();
    if (!space) words.back() += code;
    inside = !space;
  }
  return words;
}

}  // namespace

EditCounts CharacterEdits(std::string_view reference, std::string_view candidate) {
  const std::u32string expected = CodePoints(reference);
  return {Levenshtein(expected, CodePoints(candidate)), static_cast<int64_t>(expected.size())};
}

EditCounts WordEdits(std::string_view reference, std::string_view candidate) {
  const std::vector<std::u32string> expected = Words(reference);
  return {Levenshtein(expected, Words(candidate)), static_cast<int64_t>(expected.size())};
}

double ErrorRate(const EditCounts& counts) {
  return static_cast<double>(counts.edits) /
         static_cast<double>(std::max<int64_t>(counts.reference_length, 1));
}

double NormalizedEditDistance(std::string_view reference, std::string_view candidate) {
  const std::u32string a = CodePoints(reference);
  const std::u32string b = CodePoints(candidate);
  if (a.empty() && b.empty()) return 0;
  return static_cast<double>(Levenshtein(a, b)) / static_cast<double>(std::max(a.size(), b.size()));
}

double Anls(std::string_view reference, std::string_view candidate) {
  const double distance = NormalizedEditDistance(LowerCase(reference), LowerCase(candidate));
  return distance < kAnlsThreshold ? 1 - distance : 0;
}

}  // namespace vernier
