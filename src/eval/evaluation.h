// What an evaluation found: plain data, shown by the command and written as JSON for reports.
// docs/reference/eval-json.md documents the JSON; its version is kEvaluationSchema.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/baseline.h"
#include "eval/gate.h"
#include "eval/results_file.h"
#include "eval/score.h"

namespace vernier {

inline constexpr int kEvaluationSchema = 1;

struct Evaluation {
  ResultsHeader header;
  EvalTask task = EvalTask::kClassify;
  std::string layout;  // of the set
  std::string results_file = {};
  FailedSamples failed_samples = FailedSamples::kLeftOut;
  bool complete = false;
  int64_t resumed = 0;          // records that an earlier start had made
  std::vector<Record> records;  // in the set's order
  std::vector<Metric> metrics;
  std::optional<BaselineComparison> baseline;
  std::vector<MetricGateResult> gates;
  VerdictKind verdict = VerdictKind::kPassed;
  std::vector<std::string> reasons;  // of the verdict, in words
  std::vector<std::string> warnings;
  double seconds = 0;                // of this start
  std::vector<std::string> command;  // words, without the program's name

  std::vector<const Record*> FailedRecords() const;
};

struct EvalJudgeOptions {
  std::vector<std::string> metrics;
  std::vector<MetricGate> gates;
  bool random_head = false;
  std::string baseline = {};  // path of an earlier run's results
};

/// Settles, before anything runs, which metrics there will be: gates add theirs to
/// `options.metrics`. Throws Error{kUsage} for names that the task does not have, and for gates on
/// a baseline without one.
void CheckMetrics(EvalTask task, EvalJudgeOptions& options);

/// Fills metrics, baseline, gates and verdict from the records; `options` as CheckMetrics left
/// them.
void Judge(Evaluation& evaluation, const EvalJudgeOptions& options);

/// The documented JSON, indented, ending with a newline.
std::string EvaluationJson(const Evaluation& evaluation);

}  // namespace vernier
