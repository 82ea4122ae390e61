// Reads tokenizer.json, the format of the `tokenizers` library.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "tokenizers/pipeline_tokenizer.h"

namespace vernier {

/// Throws Error{kInput} that names file, key and what is wrong. What this library does not support
/// is refused by its name, never skipped.
TokenizerParts ReadTokenizerJson(const std::string& path);

// The parts of the file that are lists of steps; absent or null is an empty list.
Normalizer ReadNormalizer(const Json& root);
PreTokenizer ReadPreTokenizer(const Json& root);
std::vector<DecoderStep> ReadDecoder(const Json& root);

}  // namespace vernier
