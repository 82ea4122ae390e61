// Tokens that files beside a SentencePiece model add to its pieces: added_tokens.json ({content:
// id}), and added_tokens_decoder of tokenizer_config.json, which has their flags too.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "tokenizers/tokenizer.h"
#include "tokenizers/vocabulary.h"

namespace vernier {

/// Adds to `pieces` what they lack, and to `added` what is not among them or has other flags there.
/// `config` is tokenizer_config.json, an object. Throws Error{kInput} for an id that is another
/// piece's, or a content that has another id.
void AddFolderTokens(const std::string& folder, const Json& config, Vocabulary& pieces,
                     std::vector<AddedToken>& added);

}  // namespace vernier
