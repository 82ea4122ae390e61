// How fast a model writes: the time to the first token, the time between tokens, tokens per second.
// Pure.
#pragma once

#include <span>
#include <vector>

#include "bench/statistics.h"
#include "core/json_writer.h"
#include "vernier/generation.h"

namespace vernier {

struct GenerationTiming {
  int64_t rows = 1;  // answers written at the same time
  int64_t new_tokens = 0;
  Summary encode_ms;
  Summary first_token_ms;   // from the pictures' arrival: encoding included
  Summary inter_token_ms;   // from one token to the next, in all runs; count 0 for single tokens
  double tokens_per_s = 0;  // of all rows, over whole runs
  double decode_tokens_per_s = 0;  // of all rows, after the first token; 0 for single tokens
  std::vector<double> first_token_samples_ms;
  std::vector<double> inter_token_samples_ms;
  std::vector<double> memory_gb_per_s;  // read right after each run; empty: not measured
};

/// Of runs that each wrote `new_tokens` tokens in each of `rows` answers.
GenerationTiming TimingOf(std::span<const GenerationSeconds> runs, int64_t rows,
                          int64_t new_tokens);

void WriteJson(const GenerationTiming& timing, JsonWriter& json);

}  // namespace vernier
