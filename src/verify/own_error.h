// Which node of a comparison adds most error of its own.
#pragma once

#include <span>

#include "verify/comparison.h"

namespace vernier {

/// |own error| / |reference|; infinite where one side alone is not finite, 0 where nothing was
/// measured.
double OwnErrorOf(const TensorComparison& tensor);

/// The tensor whose node adds most; null where no step was run alone or none adds any. Of a fused
/// step and the nodes inside it, the node that explains at least half of the step's error.
const TensorComparison* MostOwnError(std::span<const TensorComparison> tensors);

}  // namespace vernier
