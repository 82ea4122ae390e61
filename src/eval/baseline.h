// A run against an earlier one on the same samples: how alike the answers are, whether the metrics
// moved, and which samples changed. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/results_file.h"
#include "eval/score.h"

namespace vernier {

struct ChangedSample {
  std::string id;
  std::vector<std::string> expected;
  std::string before;  // answer, or why there is none
  std::string now;
};

struct BaselineComparison {
  std::string path;
  ResultsHeader header;
  bool torn = false;              // the earlier run did not end in order
  int64_t paired = 0;             // samples that both runs answered
  int64_t unpaired = 0;           // of this run, those that the earlier one does not have or answer
  std::vector<Metric> agreement;  // "baseline.rouge_l": this run's answers against the earlier ones
  std::vector<Metric> deltas;     // "delta.top1": this run's metric minus the earlier one's
  std::vector<ChangedSample> changed;
};

/// Throws Error{kInput} when the earlier run was of another task, saw other pictures, questions or
/// answers under an id, or shares no sample.
BaselineComparison CompareWithBaseline(EvalTask task, std::span<const std::string> metrics,
                                       std::span<const Record> records, const std::string& path,
                                       StoredResults baseline);

}  // namespace vernier
