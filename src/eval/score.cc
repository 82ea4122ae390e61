#include "eval/score.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/check.h"
#include "eval/score_tasks.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kRecall = "recall@";
constexpr std::string_view kBaseline = "baseline.";

// k of "recall@k"; 0 for other names.
int64_t RecallDepth(std::string_view name) {
  if (!name.starts_with(kRecall)) return 0;
  name.remove_prefix(kRecall.size());
  int64_t depth = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), depth);
  return error == std::errc() && end == name.data() + name.size() ? std::max<int64_t>(depth, 0) : 0;
}

MetricTerms ScoreClasses(std::span<const Record> records, const std::string& name,
                         FailedSamples failed) {
  MetricTerms metric{.name = name};
  for (const Record& record : records) {
    if (record.failed() && failed == FailedSamples::kLeftOut) {
      metric.AddNothing();
      continue;
    }
    const auto is_expected = [&](const std::string& label) {
      return std::ranges::count(record.expected, label) > 0;
    };
    const bool right = name == "top1" ? is_expected(record.answer)
                                      : std::ranges::any_of(record.ranked, is_expected);
    metric.AddValue(!record.failed() && right ? 1 : 0);
  }
  return metric;
}

std::vector<MetricTerms> ScoreRetrieval(std::span<const Record> records,
                                        std::span<const std::string> names, FailedSamples failed) {
  const std::vector<RetrievalFigures> figures = Retrieve(records);
  std::vector<MetricTerms> metrics;
  for (const std::string& name : names) {
    const int64_t depth = RecallDepth(name);
    MetricTerms metric{.name = name, .least = depth > 0 ? 0.0 : -1.0};
    for (size_t i = 0; i < records.size(); ++i) {
      if (records[i].failed() && failed == FailedSamples::kWrong && depth > 0) {
        metric.AddValue(0);
      } else if (records[i].failed() || !figures[i].has_match) {
        metric.AddNothing();
      } else {
        metric.AddValue(depth > 0 ? (figures[i].rank < depth ? 1 : 0) : figures[i].mean_cosine);
      }
    }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace

const char* Name(EvalTask task) {
  switch (task) {
    case EvalTask::kClassify:
      return "classify";
    case EvalTask::kRetrieve:
      return "retrieve";
    case EvalTask::kDetect:
      return "detect";
    case EvalTask::kAnswer:
      break;
  }
  return "answer";
}

EvalTask ParseEvalTask(std::string_view name) {
  for (EvalTask task :
       {EvalTask::kClassify, EvalTask::kRetrieve, EvalTask::kAnswer, EvalTask::kDetect}) {
    if (name == Name(task)) return task;
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("task '{}' does not exist: classify, retrieve, answer or detect", name));
}

std::vector<std::string> DefaultMetrics(EvalTask task) {
  switch (task) {
    case EvalTask::kClassify:
      return {"top1", "top5"};
    case EvalTask::kRetrieve:
      return {"recall@1", "recall@5", "recall@10", "mean_cosine"};
    case EvalTask::kDetect:
      return ObjectMetricNames();
    case EvalTask::kAnswer:
      break;
  }
  return TextMetricNames();
}

void CheckMetricName(EvalTask task, std::string_view name) {
  const std::vector<std::string> known = DefaultMetrics(task);
  if (std::ranges::count(known, name) > 0) return;
  if (task == EvalTask::kRetrieve && RecallDepth(name) > 0) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("metric '{}' does not exist for the task {}", name, Name(task)),
              fmt::format("it has {}{}", fmt::join(known, ", "),
                          task == EvalTask::kRetrieve ? ", and recall@k for other k" : ""));
}

std::vector<MetricTerms> Score(EvalTask task, std::span<const Record> records,
                               std::span<const std::string> names, FailedSamples failed) {
  VN_CHECK(task != EvalTask::kDetect);
  if (task == EvalTask::kRetrieve) return ScoreRetrieval(records, names, failed);
  std::vector<MetricTerms> metrics;
  for (const std::string& name : names) {
    metrics.push_back(task == EvalTask::kClassify ? ScoreClasses(records, name, failed)
                                                  : ScoreTexts(records, name, failed));
  }
  return metrics;
}

std::vector<std::pair<std::string, double>> ScoreOne(EvalTask task, const Record& record) {
  if (task == EvalTask::kRetrieve || task == EvalTask::kDetect) return {};
  std::vector<std::pair<std::string, double>> figures;
  const std::vector<std::string> names = DefaultMetrics(task);
  for (const MetricTerms& metric :
       Score(task, std::span(&record, 1), names, FailedSamples::kLeftOut)) {
    // A corpus' BLEU says little about one answer, and its counts say nothing to a reader.
    if (metric.form == MetricForm::kRatio && metric.terms[1] > 0) {
      figures.emplace_back(metric.name, metric.terms[0] / metric.terms[1]);
    }
  }
  return figures;
}

std::vector<std::string> AgreementNames(EvalTask task) {
  if (task == EvalTask::kRetrieve) return {"baseline.cosine"};
  if (task == EvalTask::kClassify) return {"baseline.top1"};
  std::vector<std::string> names = TextMetricNames();
  for (std::string& name : names) name.insert(0, kBaseline);
  return names;
}

std::vector<MetricTerms> Agreement(EvalTask task, std::span<const Record> now,
                                   std::span<const Record> before) {
  VN_CHECK(now.size() == before.size());
  if (task == EvalTask::kRetrieve) return {EmbeddingAgreement(now, before)};
  // The earlier answer is the reference.
  std::vector<Record> against;
  for (size_t i = 0; i < now.size(); ++i) {
    against.push_back({.expected = {before[i].answer},
                       .error = now[i].failed() ? now[i].error : before[i].error,
                       .answer = now[i].answer});
  }
  std::vector<std::string> names = AgreementNames(task);
  for (std::string& name : names) name.erase(0, kBaseline.size());
  std::vector<MetricTerms> metrics = Score(task, against, names, FailedSamples::kLeftOut);
  for (MetricTerms& metric : metrics) metric.name.insert(0, kBaseline);
  return metrics;
}

}  // namespace vernier
