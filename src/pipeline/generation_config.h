// generation_config.json as options, and what of it is not understood. Pure.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "vernier/generation.h"

namespace vernier {

/// `file` is generation_config.json, null where there is none. Options that it leaves open and that
/// say which tokens are special come from `otherwise`. Throws Error{kInput} naming the key.
GenerationOptions ParseGenerationConfig(const Json& file, GenerationOptions otherwise);

/// Keys of the file that ask for something that is not there, "key = value" each; for a warning.
std::vector<std::string> UnknownGenerationWishes(const Json& file);

}  // namespace vernier
