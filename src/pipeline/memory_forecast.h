// What a run will take, said before it takes it: the plans' working memory and the caches against
// what is free, so that a page that is too large ends in a sentence and not in the kernel's killing
// the process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pipeline/causal_rows.h"
#include "pipeline/compiled_model.h"
#include "vernier/session.h"

namespace vernier {

struct MemoryForecast {
  int64_t encoder_bytes = 0;  // working memory for the pictures
  int64_t decoder_bytes = 0;  // for the longest prompt and the steps
  int64_t cache_bytes = 0;    // keys and values of all sequences at their full length
  int64_t held_bytes = 0;     // of these, what the session has from earlier runs
  // What it is made of.
  int64_t patches = 0;
  int64_t picture_tokens = 0;
  int64_t batch = 1;

  int64_t bytes() const { return encoder_bytes + decoder_bytes + cache_bytes - held_bytes; }
};

/// For answers to `rows` under checked options.
MemoryForecast ForecastAnswers(const CompiledModel& compiled, const CausalRows& rows,
                               const NamedTensors& inputs, const GenerationOptions& options);

/// Throws Error{kResource} that says what is needed for what, and what to lower, where more is
/// needed than is `free`; where nobody knows what is free, it is not checked.
void RequireMemory(const MemoryForecast& forecast, std::optional<int64_t> free);

/// What weights take as they will be packed, which may be more than they have numbers.
struct WeightForecast {
  int64_t bytes = 0;  // more than the session has
  int64_t parameters = 0;
  std::string dtype;  // "f32", "bf16", …
};

/// The same for the weights of a program.
void RequireMemoryForWeights(const WeightForecast& forecast, std::optional<int64_t> free);

}  // namespace vernier
