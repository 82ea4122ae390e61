// Records to metrics, by task. Pure functions: the same records give the same figures, whether they
// were made in one run or resumed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/metric.h"
#include "eval/record.h"

namespace vernier {

enum class EvalTask {
  kClassify,  // top1, top5
  kRetrieve,  // recall@k, mean_cosine
  kAnswer,    // text metrics
  kDetect,    // average precision of boxes and masks
};

/// "classify", "retrieve", "answer", "detect".
const char* Name(EvalTask task);
/// Throws Error{kUsage} naming the tasks there are.
EvalTask ParseEvalTask(std::string_view name);

/// Metrics that a task is judged by unless told otherwise; recall@k exists for every k.
std::vector<std::string> DefaultMetrics(EvalTask task);

/// Throws Error{kUsage} naming the metrics of the task, when it has none of that name.
void CheckMetricName(EvalTask task, std::string_view name);

enum class FailedSamples {
  kLeftOut,  // metrics speak of the samples that have an answer
  kWrong,    // a sample without an answer scores the worst
};

/// Terms of the metrics `names`, one row per record in order; of every task but kDetect, whose
/// metrics are not made of terms.
std::vector<MetricTerms> Score(EvalTask task, std::span<const Record> records,
                               std::span<const std::string> names, FailedSamples failed);

/// The metrics of one answered sample, for its line in the results.
std::vector<std::pair<std::string, double>> ScoreOne(EvalTask task, const Record& record);

/// Names of the metrics that Agreement gives.
std::vector<std::string> AgreementNames(EvalTask task);

/// How alike two runs' answers are: each record of `now` against its counterpart in `before` as the
/// reference. Names begin with "baseline.".
std::vector<MetricTerms> Agreement(EvalTask task, std::span<const Record> now,
                                   std::span<const Record> before);

}  // namespace vernier
