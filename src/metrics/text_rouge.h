// ROUGE (Lin, 2004) as the package rouge_score computes it without stemming: words are runs of a-z
// and 0-9 in the lower-cased text, so text of other scripts has none and scores 0. Pure functions.
#pragma once

#include <string_view>

namespace vernier {

struct RougeScore {
  double precision = 0;
  double recall = 0;
  double f = 0;  // the value that is published
};

/// Overlap of runs of `order` words, counts clipped.
RougeScore RougeN(std::string_view reference, std::string_view candidate, int order);

/// Longest common subsequence of words.
RougeScore RougeL(std::string_view reference, std::string_view candidate);

}  // namespace vernier
