#include "bench/bench_result.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "core/json_writer.h"
#include "vernier/version.h"

namespace vernier {
namespace {

void WriteOptional(const std::optional<double>& value, JsonWriter& json) {
  value ? json.Value(*value) : json.Null();
}

void WriteConfiguration(const Measurement& measured, JsonWriter& json) {
  const Configuration& c = measured.configuration;
  if (!measured.side.empty()) json.Field("side", measured.side).Field("setting", measured.setting);
  json.Field("dtype", c.dtype)
      .Field("threads", c.threads)
      .Field("streams", c.streams)
      .Field("branches", BranchesName(c.parallel_branches))
      .Field("top_features", TopFeaturesName(c.dense_top_features))
      .Field("height", c.height)
      .Field("width", c.width)
      .Field("patches", c.patches)
      .Field("batch", c.batch);
}

void WriteError(const Error& error, JsonWriter& json) {
  json.Key("error")
      .BeginObject()
      .Field("kind", Name(error.kind()))
      .Field("message", error.message())
      .Field("hint", error.hint())
      .EndObject();
}

void WriteSummary(const Summary& s, JsonWriter& json) {
  json.Field("median_ms", s.median)
      .Field("median_low_ms", s.median_interval.low)
      .Field("median_high_ms", s.median_interval.high)
      .Field("mean_ms", s.mean)
      .Field("min_ms", s.min)
      .Field("max_ms", s.max)
      .Field("std_ms", s.std)
      .Field("p50_ms", s.p50)
      .Field("p90_ms", s.p90)
      .Field("p95_ms", s.p95)
      .Field("p99_ms", s.p99)
      .Key("p99_9_ms");
  WriteOptional(s.p999, json);
  json.Key("outliers")
      .BeginObject()
      .Field("low", s.outliers.low)
      .Field("high", s.outliers.high)
      .EndObject();
}

void WriteCertified(const std::vector<CertifiedPercentile>& certified, JsonWriter& json) {
  json.Key("certified").BeginArray();
  for (const CertifiedPercentile& bound : certified) {
    json.BeginObject()
        .Field("percent", bound.percent)
        .Field("confidence", bound.confidence)
        .Key("at_most_ms");
    WriteOptional(bound.at_most_ms, json);
    json.Field("discarded", bound.discarded).Field("more_samples", bound.more_samples).EndObject();
  }
  json.EndArray();
}

void WriteDrift(const Drift& drift, JsonWriter& json) {
  json.Key("drift")
      .BeginObject()
      .Field("change", drift.samples.change)
      .Field("p_value", drift.samples.p_value)
      .Field("calibration_change", drift.calibration.change)
      .Field("calibration_p_value", drift.calibration.p_value)
      .Field("frequency_before_mhz", drift.frequency_before_mhz)
      .Field("frequency_after_mhz", drift.frequency_after_mhz)
      .Field("warning", drift.warning)
      .EndObject();
}

void WriteScenario(const ScenarioResult& scenario, JsonWriter& json) {
  json.Key("scenario")
      .BeginObject()
      .Field("name", scenario.name)
      .Field("samples_per_query", scenario.samples_per_query)
      .Field("queries", scenario.queries)
      .Field("samples", scenario.samples)
      .Field("metric", scenario.metric)
      .Key("value");
  WriteOptional(scenario.value, json);
  json.Field("unit", scenario.unit)
      .Key("short_of_rules")
      .Array(scenario.short_of_rules)
      .EndObject();
}

void WriteMemory(const Measurement& measured, JsonWriter& json) {
  json.Field("peak_rss_bytes", measured.memory.peak_rss_bytes)
      .Field("anonymous_bytes", measured.memory.anonymous_bytes)
      .Field("file_backed_bytes", measured.memory.file_backed_bytes)
      .Field("weight_bytes", measured.planned.weight_bytes)
      .Field("packed_bytes", measured.planned.packed_bytes)
      .Field("arena_bytes", measured.planned.arena_bytes)
      .Field("cache_bytes", measured.planned.cache_bytes);
}

void WriteFigures(const Measurement& measured, JsonWriter& json) {
  const WarmUp& warm_up = measured.timing.warm_up;
  json.Field("runs", measured.summary.count).Field("complete", measured.timing.complete);
  WriteSummary(measured.summary, json);
  WriteCertified(measured.certified, json);
  json.Field("throughput_per_s", measured.throughput_per_s())
      .Field("first_run_ms", measured.timing.first_run_ms)
      .Field("load_ms", measured.load_ms)
      .Key("warm_up")
      .BeginObject()
      .Field("runs", warm_up.runs)
      .Field("ms", warm_up.ms)
      .Field("steadiness", Name(warm_up.steadiness))
      .EndObject();
  WriteDrift(measured.drift, json);
  WriteMemory(measured, json);
  json.Field("outputs_sha256", measured.outputs_sha256)
      .Field("outputs_repeat", measured.outputs_repeat);
  if (measured.generation) {
    json.Key("generation");
    WriteJson(*measured.generation, json);
  }
  if (measured.detection) {
    json.Key("detection");
    WriteJson(*measured.detection, json);
  }
  if (measured.scenario) WriteScenario(*measured.scenario, json);
  if (measured.profile) {
    json.Key("profile");
    WriteJson(*measured.profile, json);
  }
  json.Key("samples_ms").Array(measured.timing.samples_ms);
}

void WriteRun(const Measurement& measured, JsonWriter& json) {
  json.BeginObject();
  WriteConfiguration(measured, json);
  if (measured.error) {
    WriteError(*measured.error, json);
  } else {
    WriteFigures(measured, json);
  }
  json.EndObject();
}

void WriteComparison(const SpeedComparison& comparison, JsonWriter& json) {
  const SpeedRatio& ratio = comparison.ratio;
  json.BeginObject()
      .Field("a", comparison.a)
      .Field("b", comparison.b)
      .Field("paired", ratio.paired)
      .Field("evidence", Name(comparison.evidence))
      .Field("a_median_ms", comparison.a_median_ms)
      .Field("b_median_ms", comparison.b_median_ms)
      .Field("a_samples", ratio.a_samples)
      .Field("b_samples", ratio.b_samples)
      .Field("ratio", ratio.ratio)
      .Field("ratio_low", ratio.interval.low)
      .Field("ratio_high", ratio.interval.high)
      .Field("method", ratio.paired ? kPairedMethod : kSeparateMethod)
      .Field("verdict", Name(ratio.verdict))
      .Key("same_outputs");
  comparison.same_outputs ? json.Value(*comparison.same_outputs) : json.Null();
  if (comparison.gate) {
    json.Key("gate")
        .BeginObject()
        .Field("bound", comparison.bound)
        .Field("state", Name(comparison.gate->state))
        .Field("why", comparison.gate->why)
        .EndObject();
  }
  json.EndObject();
}

}  // namespace

const char* Name(Evidence evidence) {
  switch (evidence) {
    case Evidence::kAlternating:
      return "alternating";
    case Evidence::kOtherTime:
      return "other time";
    case Evidence::kOtherMachine:
      return "other machine";
  }
  return "";
}

std::string UtcNow() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::string ToJson(const BenchResult& result) {
  JsonWriter json;
  json.BeginObject()
      .Field("version", Version())
      .Field("command", result.command)
      .Field("started", result.started)
      .Field("model", result.model)
      .Field("device", result.device)
      .Field("complete", result.complete)
      .Field("percentiles", kPercentileMethod)
      .Field("median_interval", kIntervalMethod)
      .Field("warm_up_rule", InWords(result.warm_up))
      .Field("outlier_rule", kOutlierRule)
      .Key("machine");
  WriteJson(result.machine, json);
  json.Key("runs").BeginArray();
  for (const Measurement& measured : result.runs) WriteRun(measured, json);
  json.EndArray();
  if (!result.comparisons.empty()) {
    json.Key("comparisons").BeginArray();
    for (const SpeedComparison& comparison : result.comparisons) WriteComparison(comparison, json);
    json.EndArray();
  }
  if (!result.ladders.empty()) {
    json.Key("ladders").BeginArray();
    for (const Ladder& ladder : result.ladders) WriteJson(ladder, json);
    json.EndArray();
  }
  json.EndObject();
  return json.Take();
}

}  // namespace vernier
