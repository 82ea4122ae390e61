// Which provider runs a matrix product, from measurements.
#include "backends/cpu/gemm.h"

namespace vernier {

// Measured on Zen 4, two threads on two cores, weights not in the cache, alternating runs: oneDNN
// 3.2's speed over ours for N x K of
//                    768x768  2304x768  3072x768 (GELU)  768x3072
//   M = 197   f32      1.05     1.06         1.02          1.04
//             bf16     1.08     1.08         1.05          1.04
//                  1024x1024 3072x1024 4096x1024 (GELU) 1024x4096
//   M = 1025  f32      1.03     1.02         0.97          0.99
//             bf16     1.03     1.05         1.01*         0.99*
// * of an earlier build: the later run was disturbed there.
// Those with 768x768, 768x3072, 1024x1024 and 1024x4096 add to a residual in place. From a residual
// elsewhere, which oneDNN takes as a binary operation, ours is faster (f32 0.92 to 0.96; bf16 0.88
// for 197 x 768 x 3072, else 1.00 to 1.03).
// Ours are also bf16 results of an activation by a sigmoid, which our last step does in a third of
// its instructions: 204 GFLOP/s on one core against 199 for 784 x 4304 x 1152 with GELU by tanh.
// Otherwise oneDNN is taken throughout, because a choice by the number of rows would make a row's
// bits depend on the batch. Left to us: strided activations and k = 1, for which it has only its
// reference kernel; gated products, whose last step it does not have; bf16 on a CPU without bf16
// products and narrow products, which were not measured.
GemmProvider FasterGemmProvider(const GemmDesc& desc) {
  constexpr int64_t kMeasured = 64;  // the least n and k that count as such
  const bool packed_for_here =
      desc.isa == Cpu().best() && desc.weights.panel_columns == kWidePanelColumns;
  const bool same_types = desc.a == desc.weights.dtype;
  const bool has_products = desc.a == DType::kF32 || desc.isa != Isa::kAvx512;
  const bool dense = desc.a_stride == desc.weights.k;
  const bool separate_residual = desc.residual && !desc.residual_in_place;
  const bool quick_sigmoid =
      desc.c == DType::kBF16 && desc.a == DType::kBF16 &&
      (desc.activation == Activation::kGeluTanh || desc.activation == Activation::kQuickGelu ||
       desc.activation == Activation::kSilu);
  const bool large = desc.m > 0 && desc.weights.n >= kMeasured && desc.weights.k >= kMeasured;
  const bool fits = desc.gated_columns == 0 && packed_for_here && same_types && has_products &&
                    dense && large && !separate_residual && !quick_sigmoid;
  return HasOnednn() && fits ? GemmProvider::kOnednn : GemmProvider::kVernier;
}

}  // namespace vernier
