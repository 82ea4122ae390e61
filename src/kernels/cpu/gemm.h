// Packed matrix multiplication: which kernels this build has and which one runs.
#pragma once

#include "core/cpu_features.h"
#include "kernels/cpu/gemm_abi.h"
#include "vernier/tensor.h"

namespace vernier {

/// Kernels of one instruction set for one pair of operand types.
struct GemmKernel {
  Isa isa = Isa::kScalar;  // of the multiplication; the finish may need less
  GemmMultiplyFn multiply = nullptr;
  GemmFinishFn finish = nullptr;
  int64_t panel_columns = 0;
  int64_t tile_rows = 0;  // rows that `multiply` handles at once: split work at multiples of it
};

/// The kernel for activations `a` and packed weights `b` (f32·f32, f32·bf16 or bf16·bf16) that uses
/// no more than `isa` and reads the packing of `isa`.
GemmKernel SelectGemm(Isa isa, DType a, DType b);

}  // namespace vernier
