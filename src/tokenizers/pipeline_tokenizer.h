// A tokenizer put together from the parts that tokenizer.json names: added tokens are cut out, what
// is left is normalised, cut into words, and each word into pieces by the model.
// The readers of tokenizer files fill TokenizerParts and leave the rest to this.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "tokenizers/bpe.h"
#include "tokenizers/normalizer.h"
#include "tokenizers/pre_tokenizer.h"
#include "tokenizers/token_decoder.h"
#include "tokenizers/tokenizer.h"
#include "tokenizers/unigram.h"
#include "tokenizers/vocabulary.h"

namespace vernier {

struct TokenizerParts {
  Vocabulary vocabulary;  // the model's pieces and the added tokens
  std::variant<Unigram, Bpe> model;
  std::vector<AddedToken> added_tokens;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::vector<int32_t> ids_before, ids_after;  // special tokens around a text
  std::vector<DecoderStep> decoder;
};

std::unique_ptr<Tokenizer> MakeTokenizer(TokenizerParts parts);

}  // namespace vernier
