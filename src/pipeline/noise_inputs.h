// Inputs of the extents that a model wants, filled with noise: for timing, where values do not
// matter, and denormal or constant ones would be special.
#pragma once

#include <cstdint>

#include "pipeline/loaded_model.h"
#include "vernier/session.h"

namespace vernier {

/// The same seed gives the same bytes everywhere.
NamedTensors NoiseInputs(const LoadedModel& model, const NoiseOptions& options);

}  // namespace vernier
