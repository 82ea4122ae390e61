// LogitsProcessors: what the options do to a row's scores before a token is chosen, in the order of
// transformers. Greedy search hands over logits, beam search log-probabilities. Immutable and
// usable from several threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generation/options.h"

namespace vernier {

/// A sequence so far: the prompt, start token included, and what was generated.
struct SequenceSoFar {
  std::span<const int32_t> ids;
  int64_t prompt_tokens;
  int64_t limit;  // the most tokens that it may have
};

class LogitsProcessors {
 public:
  /// `options` must outlive this.
  explicit LogitsProcessors(const GenerationOptions& options) : options_(options) {}

  /// Changes `scores` [vocab] in place; what is banned becomes minus infinity.
  void Apply(const SequenceSoFar& sequence, std::span<float> scores) const;

 private:
  const GenerationOptions& options_;
};

}  // namespace vernier
