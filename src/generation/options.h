// Bounds of the options in vernier/generation.h, and the one length that follows from them.
#pragma once

#include <cstdint>

#include "vernier/generation.h"

namespace vernier {

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
