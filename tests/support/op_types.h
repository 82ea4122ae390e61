// Types and attributes that cases of ops are written with.
#pragma once

#include <utility>

#include "graph/op.h"
#include "ops/attention.h"

namespace vernier::testing {

inline const Dim kBatch = Dim::Symbol("batch");
inline const Dim kHeight = Dim::Symbol("height");

inline ValueType F32(Dims shape) { return {DType::kF32, std::move(shape)}; }

inline Attention Heads(int heads, int kv_heads) {
  return {.heads = heads, .kv_heads = kv_heads, .scale = 1.0};
}

}  // namespace vernier::testing
