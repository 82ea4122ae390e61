// How often each run of N words occurs in a text. Pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vernier {

using WordRuns = std::map<std::string, int64_t>;

/// Words hold no blanks, so that a blank separates them in a run without ambiguity.
inline WordRuns CountRuns(const std::vector<std::string>& words, size_t length) {
  WordRuns runs;
  for (size_t at = 0; at + length <= words.size(); ++at) {
    std::string run;
    for (size_t i = 0; i < length; ++i) run += words[at + i] + ' ';
    ++runs[run];
  }
  return runs;
}

inline int64_t TotalRuns(const WordRuns& runs) {
  int64_t total = 0;
  for (const auto& [run, count] : runs) total += count;
  return total;
}

/// Runs in common, each counted as often as in the text that has fewer.
inline int64_t SharedRuns(const WordRuns& a, const WordRuns& b) {
  int64_t shared = 0;
  for (const auto& [run, count] : a) {
    const auto found = b.find(run);
    if (found != b.end()) shared += std::min(count, found->second);
  }
  return shared;
}

}  // namespace vernier
