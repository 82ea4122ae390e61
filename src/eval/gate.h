// Gates on a set's metrics, judged by what the samples can show. Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/metric.h"
#include "metrics/verdict.h"

namespace vernier {

struct MetricGate {
  std::string text;  // as written: "top1>=97%"
  std::string metric;
  bool at_least = true;  // >=, else <=
  double threshold = 0;
};

/// "NAME>=VALUE" or "NAME<=VALUE"; a value may end in %. Throws Error{kUsage} for other forms.
MetricGate ParseMetricGate(std::string_view text);

struct MetricGateResult {
  MetricGate gate;
  VerdictKind outcome = VerdictKind::kInconclusive;
  Metric metric;
  std::string note;  // why, in one sentence
};

/// What stands in the way of a pass, such as a made-up head; each in words.
struct GateObstacles {
  std::vector<std::string> reasons = {};
};

/// A metric of right answers is a claim about the task: it passes or fails where its interval lies
/// wholly on one side of the threshold. "baseline." metrics compare two runs on these very samples:
/// the value decides. So it does where the threshold is the best there is, which no interval can
/// exclude. Obstacles turn a pass into inconclusive.
MetricGateResult JudgeGate(const MetricGate& gate, const Metric& metric,
                           const GateObstacles& obstacles);

}  // namespace vernier
