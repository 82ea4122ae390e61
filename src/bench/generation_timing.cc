#include "bench/generation_timing.h"

#include "core/check.h"

namespace vernier {
namespace {

constexpr double kMsPerSecond = 1000;

void WriteSummary(std::string_view name, const Summary& s, JsonWriter& json) {
  json.Key(name);
  if (s.count == 0) {
    json.Null();
    return;
  }
  json.BeginObject()
      .Field("median_ms", s.median)
      .Field("median_low_ms", s.median_interval.low)
      .Field("median_high_ms", s.median_interval.high)
      .Field("mean_ms", s.mean)
      .Field("min_ms", s.min)
      .Field("max_ms", s.max)
      .Field("p90_ms", s.p90)
      .Field("p99_ms", s.p99)
      .EndObject();
}

}  // namespace

GenerationTiming TimingOf(std::span<const GenerationSeconds> runs, int64_t rows,
                          int64_t new_tokens) {
  VN_CHECK(!runs.empty(), "no run to summarise");
  GenerationTiming timing{.rows = rows, .new_tokens = new_tokens};
  std::vector<double> encode_ms, run_ms;
  for (const GenerationSeconds& run : runs) {
    encode_ms.push_back(run.encode * kMsPerSecond);
    timing.first_token_samples_ms.push_back((run.encode + run.first_token) * kMsPerSecond);
    run_ms.push_back((run.encode + run.first_token + run.more_tokens) * kMsPerSecond);
    for (double seconds : run.each_step) {
      timing.inter_token_samples_ms.push_back(seconds * kMsPerSecond);
    }
  }
  timing.encode_ms = Summarize(encode_ms);
  timing.first_token_ms = Summarize(timing.first_token_samples_ms);
  const double all_rows = static_cast<double>(rows) * kMsPerSecond;
  timing.tokens_per_s = all_rows * static_cast<double>(new_tokens) / Median(run_ms);
  if (!timing.inter_token_samples_ms.empty()) {
    timing.inter_token_ms = Summarize(timing.inter_token_samples_ms);
    timing.decode_tokens_per_s = all_rows / timing.inter_token_ms.median;
  }
  return timing;
}

void WriteJson(const GenerationTiming& timing, JsonWriter& json) {
  json.BeginObject().Field("rows", timing.rows).Field("new_tokens", timing.new_tokens);
  WriteSummary("encode", timing.encode_ms, json);
  WriteSummary("first_token", timing.first_token_ms, json);
  WriteSummary("inter_token", timing.inter_token_ms, json);
  json.Field("tokens_per_s", timing.tokens_per_s)
      .Field("decode_tokens_per_s", timing.decode_tokens_per_s)
      .Key("first_token_samples_ms")
      .Array(timing.first_token_samples_ms)
      .Key("inter_token_samples_ms")
      .Array(timing.inter_token_samples_ms)
      .Key("memory_gb_per_s")
      .Array(timing.memory_gb_per_s)
      .EndObject();
}

}  // namespace vernier
