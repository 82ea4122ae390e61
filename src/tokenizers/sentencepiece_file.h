// Reads a SentencePiece model (spiece.model, tokenizer.model) into the tokenizer that transformers
// makes of it, which is not SentencePiece's own: added tokens are cut out first, and blanks are
// treated as in the tokenizer.json that is published beside such files.
#pragma once

#include <string>

#include "io/json.h"
#include "tokenizers/pipeline_tokenizer.h"

namespace vernier {

/// `config`: tokenizer_config.json, an object; says how many <extra_id_N> follow the pieces of a
/// Unigram model, and which tokens are added. Throws Error{kInput} that names file and piece.
TokenizerParts ReadSentencePieceFile(const std::string& path, const Json& config);

}  // namespace vernier
