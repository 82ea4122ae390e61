// The parts of a folder that writing text needs beside the weights: generation options and the
// tokenizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/loaded_model.h"

namespace vernier {

/// generation_config.json over `otherwise`, which are the options that config.json implies. Wishes
/// of the file that are not supported become a warning.
GenerationOptions LoadGenerationOptions(const ModelFolder& folder, GenerationOptions otherwise,
                                        std::vector<std::string>& warnings);

/// Null where the folder has none: what needs text says so. Throws Error{kInput} for one with more
/// ids than the model has embeddings.
std::shared_ptr<const Tokenizer> LoadTokenizerFor(const ModelFolder& folder, int64_t vocab_size);

}  // namespace vernier
