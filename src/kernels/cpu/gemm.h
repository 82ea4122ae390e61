// Packed matrix multiplication: which kernels this build has and which one runs.
// Bound: multiply-adds. Measured on Zen 4 (3.7 GHz, one 512-bit FMA or vdpbf16ps a cycle: 118 and
// 236 GFLOP/s a core) with the panel in the second-level cache: 116 and 233 GFLOP/s. Whole linear
// layers on two cores with weights from memory (backends/cpu/gemm_bench.cc) reach 208 to 217
// GFLOP/s in f32 and 416 to 448 in bf16, 84 to 96 % of the bound; the rest is lost outside of the
// tiles. With i8 weights 361 to 405 for activations in bf16 and 256 to 279 for those in f32, as
// bytes. No figure for AMX (run on no machine yet), AVX2 and NEON.
#pragma once

#include "core/cpu_features.h"
#include "kernels/cpu/gemm_abi.h"
#include "vernier/tensor.h"

namespace vernier {

/// Kernels of one instruction set for one pair of operand types.
struct GemmKernel {
  Isa isa = Isa::kScalar;  // of the multiplication; the finish may need less
  GemmMultiplyFn multiply = nullptr;
  // For i8 weights: what turns activations into the digits that `multiply` takes. Null: none.
  GemmDigitsFn to_digits = nullptr;
  int digits = 0;
  // For i8 weights: the same product of a widened panel, which many rows share. Null: none.
  GemmWidenFn widen = nullptr;
  GemmMultiplyFn multiply_widened = nullptr;
  GemmFinishFn finish = nullptr;
  GemmFinishFn finish_to_bf16 = nullptr;  // the same for bf16 results
  int64_t panel_columns = 0;
  int64_t tile_rows = 0;  // rows that `multiply` handles at once: split work at multiples of it
};

/// The kernel for activations `a` and packed weights `b` (f32 or bf16 by as wide or narrower ones,
/// i8 the narrowest) that uses no more than `isa` and reads the packing of `isa`.
GemmKernel SelectGemm(Isa isa, DType a, DType b);

}  // namespace vernier
