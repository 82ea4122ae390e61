// Generate: sequences of tokens from a TokenModel, by greedy search, sampling or beam search as
// transformers defines them. Pure logic: no model, no files, no threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "generation/options.h"
#include "generation/token_model.h"

namespace vernier {

struct GeneratedSequence {
  std::vector<int32_t> ids;  // start token, prompt, new tokens, the end token if it came
  int64_t prompt_tokens = 0;
  FinishReason finish_reason = FinishReason::kLength;
  /// Of each new token: the model's own log-probability, before any option changed it. Empty
  /// unless asked for.
  std::vector<float> log_probs;
  /// Beam search: the sum of processed log-probabilities over (new tokens)^length_penalty.
  double score = 0;

  std::span<const int32_t> new_ids() const {
    return std::span<const int32_t>(ids).subspan(static_cast<size_t>(prompt_tokens));
  }
};

struct GenerationHooks {
  /// Whether the new tokens hold one of the stop strings; needed only when there are such.
  std::function<bool(std::span<const int32_t> new_ids)> has_stop_string = {};
  /// Called with each token as it is chosen; not by beam search, which decides at the end.
  std::function<void(int64_t sequence, int32_t token)> on_token = {};
  /// Called with the model's own logits before each choice; not by beam search.
  std::function<void(int64_t sequence, std::span<const float> logits)> on_logits = {};
  bool log_probs = false;
};

/// One sequence per prompt. Throws Error{kUsage} for options that cannot be had.
std::vector<GeneratedSequence> Generate(TokenModel& model,
                                        std::span<const std::vector<int32_t>> prompts,
                                        const GenerationOptions& options,
                                        const GenerationHooks& hooks = {});

/// The id that fills up rows of a batch that ended early, as transformers pads: beam search takes a
/// pad id of 0 for "unset" and falls back to the end token.
int32_t FillToken(const GenerationOptions& options);

}  // namespace vernier
