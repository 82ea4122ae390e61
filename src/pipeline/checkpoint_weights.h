// A loaded model's tensors as the source that programs read weights from: by canonical name,
// made-up heads included.
#pragma once

#include <cstdint>
#include <memory>

#include "backends/weight_store.h"
#include "pipeline/loaded_model.h"

namespace vernier {

/// The store borrows folder and model, which must outlive it. Weights in model.made_up are drawn
/// from `seed` as the family's initialiser does: deviation 0.02, biases zero.
std::shared_ptr<WeightStore> MakeWeightStore(const ModelFolder& folder, const LoadedModel& model,
                                             uint64_t seed);

}  // namespace vernier
