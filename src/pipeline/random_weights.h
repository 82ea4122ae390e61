// Weights that mean nothing, for speed tests and made-up heads: drawn as the families' initialisers
// do, the same for the same seed on every machine and number of threads.
#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"
#include "vernier/tensor.h"

namespace vernier {

/// The shape in which a checkpoint stores a weight of a graph.
Shape WeightShape(const ValueInfo& weight);

/// By the tensor's role, which its name tells: norm weights and variances 1, means and biases 0,
/// layer scale 0.1, a detector's convolutions as Kaiming He et al. 2015 draw them, its class scores
/// rare, everything else near-normal with deviation 0.02.
Tensor RandomWeight(const std::string& name, const Shape& shape, uint64_t seed);

}  // namespace vernier
