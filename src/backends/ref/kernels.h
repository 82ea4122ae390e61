// The reference kernels: a plain loop with fp64 sums for each op is its definition. They take f32
// and integer operands, write dense f32, and are also what recomputed taps and bind-time folding
// run. Pure functions; `threads` only splits independent outputs, never a sum.
#pragma once

#include <atomic>
#include <span>

#include "backends/tensor_arg.h"
#include "core/cancel.h"
#include "graph/op.h"

namespace vernier {

struct RefArgs {
  const Attributes& attributes;
  std::span<const TensorArg> inputs;
  std::span<const TensorArg> outputs;
  const Extents& extents;  // for attributes that hold dimensions
  int threads = 1;
  const std::atomic<bool>* cancel = nullptr;  // as in RunArgs

  bool cancelled() const { return IsSet(cancel); }
};

using RefKernel = void (*)(const RefArgs&);

/// The reference of an op; null for ops that only passes make.
RefKernel FindRefKernel(const OpDef& op);

}  // namespace vernier
