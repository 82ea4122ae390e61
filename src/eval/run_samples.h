// The loop over a set: batches through a model, each record to its file as soon as it is there.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "eval/answer.h"
#include "eval/results_file.h"
#include "eval/score.h"

namespace vernier {

struct SampleRun {
  EvalTask task;
  std::span<const Sample> samples;
  std::span<const std::string> fingerprints;
  int64_t batch = 1;
  ResultsFile* file = nullptr;  // null: nothing is kept
  /// Makes ready what answers; called only when samples are left to do.
  std::function<AnswerSamples()> open_model;
  /// Called after each batch with the samples done here, of those that were left.
  std::function<void(int64_t done, int64_t total)> progress = {};
  /// Called with each new record.
  std::function<void(const Record&)> take = {};
};

struct SampleRunResult {
  std::vector<Record> records;  // of the samples done, in the set's order
  int64_t resumed = 0;          // of them, those found in the file
  bool complete = false;        // false: interrupted before the last sample
};

/// Ends early, with what is done, when the process is interrupted.
SampleRunResult RunSamples(const SampleRun& run);

}  // namespace vernier
