// Which provider runs a matrix product, from measurements.
#include "backends/cpu/gemm.h"

namespace vernier {

// Measured on Zen 4, two threads on two cores, weights not in the cache, in random turns, medians
// of seven (bf16) and five: our speed over oneDNN 3.2's for N x K of
//                    768x768  2304x768  3072x768 (GELU)  768x3072
//   M = 197   f32      1.01     1.00         0.98          0.98
//             bf16     1.00     1.00         1.08          1.01
//                  1024x1024 3072x1024 4096x1024 (GELU) 1024x4096
//   M = 1025  f32      1.04     1.04                       1.03
//             bf16     1.07     1.02         1.05          1.05
// and 1.03 for 784 x 3456 x 1152 in bf16, 1.08 and 1.01 for 2048 rows of 768x768 and 2304x768. So
// with AVX512-BF16 and without AMX all products are ours. Elsewhere neither was measured, and
// oneDNN is taken where it has a good kernel for what the product is: a choice by the number of
// rows would make a row's bits depend on the batch. Left to us everywhere: strided activations and
// k = 1, for which it has only its reference kernel; residuals that do not lie where the result
// goes, which it takes as a binary operation; gated products, whose last step it does not have;
// bf16 results of an activation by a sigmoid, which our last step does in a third of its
// instructions; bf16 on a CPU without bf16 products, and narrow products.
GemmProvider FasterGemmProvider(const GemmDesc& desc) {
  constexpr int64_t kMeasured = 64;  // the least n and k that count as such
  const bool ours_measured_faster = desc.isa == Isa::kAvx512Bf16;
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
  const bool fits = !ours_measured_faster && desc.gated_columns == 0 && packed_for_here &&
                    same_types && has_products && dense && large && !separate_residual &&
                    !quick_sigmoid;
  return HasOnednn() && fits ? GemmProvider::kOnednn : GemmProvider::kVernier;
}

}  // namespace vernier
