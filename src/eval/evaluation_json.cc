#include <algorithm>

#include "core/json_writer.h"
#include "eval/evaluation.h"

namespace vernier {
namespace {

// Enough to look at; the results file has them all.
constexpr size_t kListedSamples = 1000;

void WriteMetricFields(const Metric& metric, JsonWriter& json) {
  json.Field("name", metric.name)
      .Field("value", metric.value)
      .Field("low", metric.interval.low)
      .Field("high", metric.interval.high)
      .Field("n", metric.n);
}

void WriteMetrics(std::string_view key, const std::vector<Metric>& metrics, JsonWriter& json) {
  json.Key(key).BeginArray();
  for (const Metric& metric : metrics) {
    json.BeginObject();
    WriteMetricFields(metric, json);
    json.EndObject();
  }
  json.EndArray();
}

void WriteGates(const std::vector<MetricGateResult>& gates, JsonWriter& json) {
  json.Key("gates").BeginArray();
  for (const MetricGateResult& result : gates) {
    json.BeginObject()
        .Field("gate", result.gate.text)
        .Field("metric", result.gate.metric)
        .Field("outcome", Name(result.outcome))
        .Field("threshold", result.gate.threshold)
        .Field("value", result.metric.value)
        .Field("low", result.metric.interval.low)
        .Field("high", result.metric.interval.high)
        .Field("n", result.metric.n)
        .Field("note", result.note)
        .EndObject();
  }
  json.EndArray();
}

void WriteHeader(const ResultsHeader& header, JsonWriter& json) {
  json.Field("version", header.version)
      .Field("task", header.task)
      .Field("model", header.model)
      .Field("model_sha256", header.model_sha256)
      .Field("data", header.data)
      .Field("data_sha256", header.data_sha256)
      .Key("settings")
      .Raw(header.settings.Compact());
}

void WriteBaseline(const BaselineComparison& baseline, JsonWriter& json) {
  json.Key("baseline").BeginObject().Field("path", baseline.path);
  WriteHeader(baseline.header, json);
  json.Field("incomplete", baseline.torn)
      .Field("paired", baseline.paired)
      .Field("unpaired", baseline.unpaired);
  WriteMetrics("agreement", baseline.agreement, json);
  WriteMetrics("deltas", baseline.deltas, json);
  json.Field("changed_count", baseline.changed.size()).Key("changed").BeginArray();
  for (size_t i = 0; i < std::min(kListedSamples, baseline.changed.size()); ++i) {
    const ChangedSample& sample = baseline.changed[i];
    json.BeginObject()
        .Field("id", sample.id)
        .Key("expected")
        .Array(sample.expected)
        .Field("before", sample.before)
        .Field("now", sample.now)
        .EndObject();
  }
  json.EndArray().EndObject();
}

void WriteFailed(const std::vector<const Record*>& failed, JsonWriter& json) {
  json.Key("failed").BeginArray();
  for (const Record* record : failed) {
    json.BeginObject().Field("id", record->id).Field("error", record->error).EndObject();
  }
  json.EndArray();
}

// Answers that are not among the expected ones, byte for byte; metrics may still accept them.
void WriteMistakes(const Evaluation& evaluation, JsonWriter& json) {
  size_t count = 0;
  json.Key("mistakes").BeginArray();
  for (const Record& record : evaluation.records) {
    const bool has_right_answers =
        evaluation.task == EvalTask::kClassify || evaluation.task == EvalTask::kAnswer;
    if (!has_right_answers || record.failed() ||
        std::ranges::count(record.expected, record.answer) > 0 || ++count > kListedSamples) {
      continue;
    }
    json.BeginObject()
        .Field("id", record.id)
        .Key("expected")
        .Array(record.expected)
        .Field("answer", record.answer)
        .EndObject();
  }
  json.EndArray().Field("mistakes_count", count);
}

}  // namespace

std::string EvaluationJson(const Evaluation& evaluation) {
  const std::vector<const Record*> failed = evaluation.FailedRecords();
  JsonWriter json;
  json.BeginObject().Field("kind", "evaluation").Field("schema", kEvaluationSchema);
  WriteHeader(evaluation.header, json);
  json.Field("layout", evaluation.layout)
      .Field("results_file", evaluation.results_file)
      .Field("complete", evaluation.complete);
  json.Key("counts")
      .BeginObject()
      .Field("samples", evaluation.header.samples)
      .Field("done", evaluation.records.size())
      .Field("failed", failed.size())
      .Field("resumed", evaluation.resumed)
      .Field("failed_count_as",
             evaluation.failed_samples == FailedSamples::kWrong ? "wrong" : "left out")
      .EndObject();
  json.Field("interval_method", kMetricIntervalMethod);
  WriteMetrics("metrics", evaluation.metrics, json);
  WriteGates(evaluation.gates, json);
  json.Key("verdict")
      .BeginObject()
      .Field("kind", Name(evaluation.verdict))
      .Field("scope", "task")
      .Key("reasons")
      .Array(evaluation.reasons)
      .EndObject();
  if (evaluation.baseline) WriteBaseline(*evaluation.baseline, json);
  WriteFailed(failed, json);
  WriteMistakes(evaluation, json);
  json.Key("warnings").Array(evaluation.warnings);
  json.Field("seconds", evaluation.seconds).Key("command").Array(evaluation.command).EndObject();
  return json.Take();
}

}  // namespace vernier
