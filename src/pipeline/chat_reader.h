// Conversations in, the network's inputs out: pictures through the processor, text through template
// and tokenizer, each picture's slot filled with as many tokens as the picture becomes. Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/pages.h"
#include "models/paddleocr_vl/processor.h"
#include "models/paddleocr_vl/prompt.h"
#include "tokenizers/tokenizer.h"
#include "vernier/session.h"

namespace vernier {

struct ChatReader {
  std::string folder;  // for messages
  std::shared_ptr<const PaddleOcrVlProcessor> processor;
  std::shared_ptr<const Tokenizer> tokenizer;  // null where the folder has none
  AnswerCue cue = AnswerCue::kNewline;
  int32_t image_token_id = 0;
  int32_t pad_token_id = 0;
  int64_t context_tokens = 0;
  PageOptions pages = {};

  /// One row per prompt. Throws Error{kInput} naming the picture that cannot be used, or where
  /// there is no tokenizer; Error{kUsage} where slots and pictures do not match, and before any
  /// picture is read where text alone is longer than the context.
  Pictures Read(std::span<const ChatPrompt> prompts) const;

 private:
  std::vector<int32_t> TextIds(const ChatPrompt& prompt) const;
  std::vector<int32_t> Encode(std::span<const PromptPiece> pieces, bool plain_text) const;
};

/// Throws Error{kInput} unless the tokenizer's placeholder is the token that config.json names.
void RequireImageToken(const Tokenizer& tokenizer, int64_t image_token_id,
                       const std::string& folder);

}  // namespace vernier
