// What identifies a checkpoint in results, caches and bundles.
#pragma once

#include <string>

#include "pipeline/loaded_model.h"

namespace vernier {

/// SHA-256 over the configuration and the contents of the weight files, in their order; names and
/// places of files do not count. Reads all of them. Throws Error{kInput} for one that is gone.
std::string ModelSha256(const ModelFolder& folder);

}  // namespace vernier
