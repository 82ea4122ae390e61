// Generation: what a caller may ask of a model that writes text, and what comes back.
// Plain data. The options are those of generation_config.json, under their own names and with its
// defaults; Session::generation_options gives a checkpoint's own, to be changed and handed back.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

enum class FinishReason {
  kEos,         // an end token
  kStopString,  // a text of stop_strings
  kLength,      // max_new_tokens or max_length
};
/// "eos", "stop_string", "length".
const char* Name(FinishReason reason);

struct GenerationRequest {
  GenerationOptions options;
  /// What the answers begin with, one text per row of the inputs; none: nothing.
  std::vector<std::string> prompts = {};
  bool log_probs = false;
  bool ids_only = false;  // no text: works without a tokenizer
  /// Text of a row as it becomes final, in pieces of whole characters; not by beam search, which
  /// decides at the end.
  std::function<void(int64_t row, std::string_view piece)> on_text = {};
  /// The model's own logits of a row, as each token is about to be chosen from them; not by beam
  /// search, whose rows change places.
  std::function<void(int64_t row, std::span<const float> logits)> on_logits = {};
  /// Read between steps: set, it ends generation with Error{kInterrupted}.
  const std::atomic<bool>* cancel = nullptr;
};

struct GeneratedText {
  std::string text;  // special tokens left out; prompt included, but not that of a conversation
  std::vector<int32_t> token_ids;  // start token, prompt, new tokens, the end token if it came
  int64_t prompt_tokens = 0;       // the start token included
  FinishReason finish_reason = FinishReason::kLength;
  std::vector<float> log_probs;  // of the new tokens, the model's own, when asked for
  double score = 0;              // beam search: what transformers calls sequences_scores
};

struct GenerationSeconds {
  double encode = 0;       // the pictures, caches of what was read included
  double first_token = 0;  // prompt to the first choice
  double more_tokens = 0;  // all steps after that
  int64_t steps = 0;       // how many
  std::vector<double> each_step = {};
};

struct GenerationOutput {
  std::vector<GeneratedText> rows;
  GenerationSeconds seconds;
  int64_t cache_bytes = 0;  // of keys and values, while it wrote
  int64_t arena_bytes = 0;  // of the decoder's working memory
};

}  // namespace vernier
