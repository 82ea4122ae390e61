// --input NAME=FILE.npy: tensors fed to a model under its inputs' published names.
#pragma once

#include <string>
#include <vector>

#include "vernier/session.h"

namespace vernier {

/// Floats are widened, since models take f32. Throws Error{kUsage} for what is no NAME=FILE.npy,
/// Error{kInput} for a file that cannot be read.
NamedTensors ReadFedInputs(const std::vector<std::string>& specifications);

}  // namespace vernier
