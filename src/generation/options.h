// GenerationOptions: the settings of generation_config.json under their own names and with its
// defaults. Plain data; where it is read from is the pipeline's affair. Immutable once checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vernier {

enum class EarlyStopping { kFalse, kTrue, kNever };

struct GenerationOptions {
  // Length. max_length and min_length count the whole sequence, start token and prompt included.
  std::optional<int64_t> max_length;
  std::optional<int64_t> max_new_tokens;  // wins over max_length
  int64_t min_length = 0;
  std::optional<int64_t> min_new_tokens;
  std::vector<std::string> stop_strings;

  // Strategy.
  bool do_sample = false;
  int64_t num_beams = 1;
  EarlyStopping early_stopping = EarlyStopping::kFalse;
  double length_penalty = 1.0;

  // Sampling.
  double temperature = 1.0;
  int64_t top_k = 50;  // 0: all
  double top_p = 1.0;
  uint64_t seed = 0;

  // What is done to scores.
  double repetition_penalty = 1.0;
  int64_t no_repeat_ngram_size = 0;  // 0: off
  std::vector<int32_t> suppress_tokens;
  std::vector<int32_t> begin_suppress_tokens;
  std::vector<int32_t> forced_eos_token_id;

  // Special tokens.
  std::optional<int32_t> decoder_start_token_id;
  std::vector<int32_t> eos_token_id;
  std::optional<int32_t> pad_token_id;
};

/// New tokens when neither length is given.
constexpr int64_t kDefaultNewTokens = 20;

/// The longest sequence that is worked on, whatever a file asks for: 2^20 tokens.
constexpr int64_t kMaxSequence = int64_t{1} << 20;

constexpr int64_t kMaxBeams = 256;

/// Throws Error{kUsage} that names the option, its value and its bounds.
void CheckOptions(const GenerationOptions& options, int64_t vocab_size);

/// The most tokens that a sequence which starts with `prompt_tokens` may have, the prompt included.
/// Throws Error{kUsage} where max_length leaves no room.
int64_t SequenceLimit(const GenerationOptions& options, int64_t prompt_tokens);

}  // namespace vernier
