// Flags of verbs whose model writes text: generation_config.json's options under their own names.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "flags.h"
#include "io/json.h"
#include "vernier/generation.h"

namespace vernier {

/// 0, -1, NaN or empty where a flag was not given: the checkpoint's own option stands.
struct GenerationFlags {
  int64_t max_new_tokens = 0;
  int64_t max_length = 0;
  int64_t min_new_tokens = -1;
  int64_t min_length = -1;
  int64_t num_beams = 0;
  std::string early_stopping;
  double length_penalty = std::numeric_limits<double>::quiet_NaN();
  bool do_sample = false;
  double temperature = std::numeric_limits<double>::quiet_NaN();
  int64_t top_k = -1;
  double top_p = std::numeric_limits<double>::quiet_NaN();
  int64_t sampling_seed = 0;
  double repetition_penalty = std::numeric_limits<double>::quiet_NaN();
  int64_t no_repeat_ngram_size = -1;
  std::vector<std::string> stop_strings;
};

std::vector<Flag> GenerationFlagTable(GenerationFlags& flags);

/// A checkpoint's options with what the flags change.
GenerationOptions Changed(GenerationOptions options, const GenerationFlags& flags);

/// The flags that were given, for results; what they stand for without being given is the
/// checkpoint's, whose hash results hold.
Json ToJson(const GenerationFlags& flags);

}  // namespace vernier
