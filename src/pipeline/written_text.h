// Prompts of ids through a TokenModel to texts: the generation loop, the tokenizer, the stream of
// pieces and the clock, for every model that writes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generation/token_model.h"
#include "tokenizers/tokenizer.h"
#include "vernier/generation.h"

namespace vernier {

struct WritingJob {
  TokenModel* model = nullptr;
  const Tokenizer* tokenizer = nullptr;  // null: ids only
  std::span<const std::vector<int32_t>> prompts;
  bool prompt_in_text = true;  // what was read is part of the answer's text
};

/// `tokenizer`, or null where the request needs none. Throws Error{kInput} where it needs one and
/// there is none.
const Tokenizer* RequiredTokenizer(const Tokenizer* tokenizer, const GenerationRequest& request);

/// Tokens of the longest sequence that the options allow.
int64_t LongestSequence(std::span<const std::vector<int32_t>> prompts,
                        const GenerationOptions& options);

/// Fills the output's rows, and its seconds but for encoding.
void WriteTexts(const WritingJob& job, const GenerationRequest& request, GenerationOutput& output);

}  // namespace vernier
