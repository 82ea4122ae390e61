#include "pipeline/memory_forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes_text.h"
#include "generation/options.h"
#include "pipeline/kv_states.h"
#include "runtime/plan.h"
#include "vernier/error.h"

namespace vernier {
namespace {

int64_t WorkingBytes(const Plan& plan) {
  return static_cast<int64_t>(plan.arena_bytes() + plan.scratch_bytes());
}

// Keys and values of one token in all layers.
int64_t BytesOfToken(const Graph& graph) {
  int64_t bytes = 0;
  for (const ValueInfo& info : graph.values()) {
    if (info.kind != ValueKind::kState) continue;
    bytes += 2 * info.type.dim(-1).constant() * static_cast<int64_t>(ByteSize(info.type.dtype));
  }
  return bytes;
}

}  // namespace

MemoryForecast ForecastAnswers(const CompiledModel& compiled, const CausalRows& rows,
                               const NamedTensors& inputs, const GenerationOptions& options) {
  MemoryForecast forecast{.batch = std::ssize(rows.rows)};
  const CausalPrograms& programs = *compiled.programs().causal;
  if (const auto pixels = inputs.find(kPixelValues); pixels != inputs.end()) {
    forecast.patches = pixels->second.shape()[0];
    forecast.encoder_bytes = WorkingBytes(*compiled.programs().encoder->Bind(
        {{"patches", forecast.patches}, {"pictures", inputs.at(kImageGrids).shape()[0]}}));
  }
  int64_t longest = 0, of_one = 0;
  for (const CausalRow& row : rows.rows) {
    longest = std::max(longest, std::ssize(row.ids));
    of_one = std::max(of_one, row.features);
    forecast.picture_tokens += row.features;
  }
  const int64_t tokens = InWholeBlocks(SequenceLimit(options, longest));
  const int64_t together = rows.together() ? forecast.batch : 1;
  Extents extents = {{"sequences", together}, {"new_tokens", longest}, {"cache_capacity", tokens}};
  const bool pictures = of_one > 0;
  if (pictures) extents["picture_tokens"] = rows.together() ? forecast.picture_tokens : of_one;
  forecast.decoder_bytes =
      WorkingBytes(*(pictures ? programs.last_token : programs.step)->Bind(extents));
  forecast.cache_bytes =
      forecast.batch * options.num_beams * tokens * BytesOfToken(programs.step->graph());
  return forecast;
}

void RequireMemory(const MemoryForecast& forecast, std::optional<int64_t> free) {
  if (!free || forecast.bytes() <= *free) return;
  throw Error(
      ErrorKind::kResource,
      fmt::format("this run needs {} more memory ({} for pictures, {} for text, {} for keys and "
                  "values), and {} is free: {} patches, {} image tokens, batch {}",
                  BytesText(forecast.bytes()), BytesText(forecast.encoder_bytes),
                  BytesText(forecast.decoder_bytes), BytesText(forecast.cache_bytes),
                  BytesText(*free), forecast.patches, forecast.picture_tokens, forecast.batch),
      "lower --max-pixels, --batch or --max-new-tokens");
}

void RequireMemoryForWeights(const WeightForecast& forecast, std::optional<int64_t> free) {
  if (!free || forecast.bytes <= *free) return;
  constexpr int64_t kFloat = 4;
  std::string hint = forecast.dtype == "f32" ? "use --dtype bf16, which needs about half, or close "
                                               "other programs"
                                             : "close other programs";
  // No other packed form is much larger than the numbers in it.
  if (forecast.bytes > forecast.parameters * kFloat * 3 / 2) {
    hint += "; --winograd never packs convolutions in less memory and runs them slower";
  }
  throw Error(
      ErrorKind::kResource,
      fmt::format("the model's {} parameters need {} as they are packed for {}, and {} is "
                  "free",
                  forecast.parameters, BytesText(forecast.bytes), forecast.dtype, BytesText(*free)),
      hint);
}

}  // namespace vernier
