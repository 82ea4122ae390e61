// Elements from where one operand has them to where another of the same shape and type wants them,
// whatever the layouts and strides of both. Bound by memory.
#pragma once

#include "backends/tensor_arg.h"

namespace vernier {

void CopyElements(const TensorArg& from, const TensorArg& to, int threads);

/// A dense, row-major copy.
Tensor RowMajorCopy(const TensorArg& from, int threads);

}  // namespace vernier
