#include "metrics/text_rouge.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/unicode.h"
#include "metrics/word_runs.h"

namespace vernier {
namespace {

bool InWord(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (char c : LowerCase(text)) {
    if (InWord(c)) {
      if (!inside) words.emplace_back();
      words.back() += c;
    }
    inside = InWord(c);
  }
  return words;
}

RougeScore Score(int64_t shared, int64_t reference, int64_t candidate) {
  const double matches = static_cast<double>(shared);
  RougeScore score{.precision = matches / static_cast<double>(std::max<int64_t>(candidate, 1)),
                   .recall = matches / static_cast<double>(std::max<int64_t>(reference, 1))};
  const double sum = score.precision + score.recall;
  if (sum > 0) score.f = 2 * score.precision * score.recall / sum;
  return score;
}

int64_t LongestCommonSubsequence(const std::vector<std::string>& a,
                                 const std::vector<std::string>& b) {
  std::vector<int64_t> row(b.size() + 1, 0);
  for (const std::string& word : a) {
    int64_t diagonal = 0;
    for (size_t i = 0; i < b.size(); ++i) {
      const int64_t above = row[i + 1];
      row[i + 1] = word == b[i] ? diagonal + 1 : std::max(above, row[i]);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

RougeScore RougeN(std::string_view reference, std::string_view candidate, int order) {
  const WordRuns expected = CountRuns(Words(reference), static_cast<size_t>(order));
  const WordRuns found = CountRuns(Words(candidate), static_cast<size_t>(order));
  return Score(SharedRuns(expected, found), TotalRuns(expected), TotalRuns(found));
}

RougeScore RougeL(std::string_view reference, std::string_view candidate) {
  const std::vector<std::string> expected = Words(reference);
  const std::vector<std::string> found = Words(candidate);
  return Score(LongestCommonSubsequence(expected, found), static_cast<int64_t>(expected.size()),
               static_cast<int64_t>(found.size()));
}

}  // namespace vernier
