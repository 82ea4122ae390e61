#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/check.h"
#include "eval/evaluation.h"
#include "eval/score_tasks.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::vector<Metric> AllMetrics(const Evaluation& evaluation) {
  std::vector<Metric> all = evaluation.metrics;
  if (evaluation.baseline) {
    std::ranges::copy(evaluation.baseline->agreement, std::back_inserter(all));
    std::ranges::copy(evaluation.baseline->deltas, std::back_inserter(all));
  }
  return all;
}

const Metric& Find(const std::vector<Metric>& metrics, const MetricGate& gate) {
  const auto found = std::ranges::find(metrics, gate.metric, &Metric::name);
  VN_CHECK(found != metrics.end(), gate.metric);
  return *found;
}

void CheckGate(EvalTask task, const MetricGate& gate, EvalJudgeOptions& options) {
  constexpr std::string_view kDelta = "delta.";
  const std::string place = "--gate " + gate.text;
  const bool agreement = gate.metric.starts_with("baseline.");
  const bool delta = gate.metric.starts_with(kDelta);
  if ((agreement || delta) && options.baseline.empty()) {
    throw Error(ErrorKind::kUsage, place + ": compares with an earlier run, and there is none",
                "give its results with --baseline FILE");
  }
  if (agreement) {
    const std::vector<std::string> known = AgreementNames(task);
    if (std::ranges::count(known, gate.metric) > 0) return;
    throw Error(ErrorKind::kUsage, fmt::format("{}: there is no metric '{}'", place, gate.metric),
                fmt::format("there are {}", fmt::join(known, ", ")));
  }
  const std::string name = delta ? gate.metric.substr(kDelta.size()) : gate.metric;
  try {
    CheckMetricName(task, name);
  } catch (const Error& error) {
    throw error.WithContext(place);
  }
  if (std::ranges::count(options.metrics, name) == 0) options.metrics.push_back(name);
}

GateObstacles ObstaclesOf(const Evaluation& evaluation, bool random_head) {
  GateObstacles obstacles;
  if (random_head) {
    obstacles.reasons.push_back("the classification head is made up, so its labels mean nothing");
  }
  const size_t failed = evaluation.FailedRecords().size();
  if (failed > 0 && evaluation.failed_samples == FailedSamples::kLeftOut) {
    obstacles.reasons.push_back(
        fmt::format("{} of {} samples could not be used and are left out (--failed wrong counts "
                    "them as wrong)",
                    failed, evaluation.records.size()));
  }
  return obstacles;
}

}  // namespace

void CheckMetrics(EvalTask task, EvalJudgeOptions& options) {
  for (const std::string& name : options.metrics) CheckMetricName(task, name);
  if (options.metrics.empty()) options.metrics = DefaultMetrics(task);
  if (task == EvalTask::kDetect && !options.baseline.empty()) {
    throw Error(ErrorKind::kUsage, "--baseline: average precision is not compared sample by sample",
                "compare two runs' instances with `vernier compare`");
  }
  for (const MetricGate& gate : options.gates) CheckGate(task, gate, options);
}

std::vector<const Record*> Evaluation::FailedRecords() const {
  std::vector<const Record*> failed;
  for (const Record& record : records) {
    if (record.failed()) failed.push_back(&record);
  }
  return failed;
}

void Judge(Evaluation& evaluation, const EvalJudgeOptions& options) {
  if (evaluation.task == EvalTask::kDetect) {
    evaluation.metrics =
        ScoreObjects(evaluation.records, options.metrics, evaluation.failed_samples);
  } else {
    for (const MetricTerms& terms :
         Score(evaluation.task, evaluation.records, options.metrics, evaluation.failed_samples)) {
      evaluation.metrics.push_back(Summarize(terms));
    }
  }
  if (!options.baseline.empty()) {
    evaluation.baseline = CompareWithBaseline(evaluation.task, options.metrics, evaluation.records,
                                              options.baseline, ReadResults(options.baseline));
  }
  const std::vector<Metric> metrics = AllMetrics(evaluation);
  const GateObstacles obstacles = ObstaclesOf(evaluation, options.random_head);
  bool failed = false, undecided = false;
  for (const MetricGate& gate : options.gates) {
    evaluation.gates.push_back(JudgeGate(gate, Find(metrics, gate), obstacles));
    const MetricGateResult& result = evaluation.gates.back();
    failed |= result.outcome == VerdictKind::kFailed;
    undecided |= result.outcome == VerdictKind::kInconclusive;
    if (result.outcome != VerdictKind::kPassed) {
      evaluation.reasons.push_back(fmt::format("{}: {}", gate.text, result.note));
    }
  }
  if (undecided) evaluation.verdict = VerdictKind::kInconclusive;
  if (failed) evaluation.verdict = VerdictKind::kFailed;
}

}  // namespace vernier
