// Ways in which two tensors of equally many values and different shapes may be the same one: axes
// of extent 1, merged axes, another order of axes (NHWC and NCHW, heads before tokens).
#pragma once

#include <string>
#include <vector>

#include "vernier/tensor.h"

namespace vernier {

struct AxisOrder {
  bool of_reference = false;   // the side whose axes are moved
  std::vector<int> axes = {};  // of that side, in their new order
  /// "candidate transposed by (0, 2, 3, 1), NCHW to NHWC"; empty where no axis moves.
  std::string words = {};
};

/// All orders that fit, the one that moves nothing first; none when the sizes differ.
std::vector<AxisOrder> FittingOrders(const Shape& reference, const Shape& candidate);

/// A copy with the axes in that order.
Tensor Transposed(const TensorView& view, const std::vector<int>& axes);

}  // namespace vernier
