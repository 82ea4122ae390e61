// The choice among the versions of every kernel but the matrix multiplication (gemm.cc): the widest
// that this build has within what the caller allows.
#include "core/cpu_features.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/cached_attention.h"
#include "kernels/cpu/channel_norm.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/exact_product.h"
#include "kernels/cpu/layer_norm.h"
#include "kernels/cpu/mask_rows.h"
#include "kernels/cpu/max_pool.h"
#include "kernels/cpu/pair_sums.h"
#include "kernels/cpu/resize_rows.h"
#include "kernels/cpu/rms_norm.h"
#include "kernels/cpu/rotary.h"
#include "kernels/cpu/softmax.h"
#include "kernels/cpu/transpose_units.h"
#include "kernels/cpu/winograd.h"

namespace vernier {

#if defined(__x86_64__)
namespace narrow = avx2;
namespace wide = avx512;
#elif defined(__aarch64__)
namespace narrow = neon;
namespace wide = neon;
#else
namespace narrow = scalar;
namespace wide = scalar;
#endif

namespace {

template <class Kernel>
Kernel Choose(Isa isa, Kernel scalar_version, Kernel narrow_version, Kernel wide_version) {
  if (isa == Isa::kScalar) return scalar_version;
  return isa == Isa::kAvx2 ? narrow_version : wide_version;
}

}  // namespace

RotaryKernel SelectRotary(Isa isa) {
  return Choose(isa, scalar::Rotary, narrow::Rotary, wide::Rotary);
}

CachedAttentionKernel SelectCachedAttention(Isa isa) {
  return Choose(isa, scalar::CachedAttention, narrow::CachedAttention, wide::CachedAttention);
}

LayerNormKernel SelectLayerNorm(Isa isa) {
  return Choose(isa, scalar::LayerNorm, narrow::LayerNorm, wide::LayerNorm);
}

RmsNormKernel SelectRmsNorm(Isa isa) {
  return Choose(isa, scalar::RmsNorm, narrow::RmsNorm, wide::RmsNorm);
}

SoftmaxKernel SelectSoftmax(Isa isa) {
  return Choose(isa, scalar::Softmax, narrow::Softmax, wide::Softmax);
}

TransposeUnitsKernel SelectTransposeUnits(Isa isa) {
  return Choose(isa, scalar::TransposeUnitRows, narrow::TransposeUnitRows, wide::TransposeUnitRows);
}

const ElementwiseKernels& SelectElementwise(Isa isa) {
  return *Choose(isa, &scalar::kElementwise, &narrow::kElementwise, &wide::kElementwise);
}

const ChannelNormKernels& SelectChannelNorm(Isa isa) {
  return *Choose(isa, &scalar::kChannelNorm, &narrow::kChannelNorm, &wide::kChannelNorm);
}

MaxPoolKernel SelectMaxPool(Isa isa) {
  return Choose(isa, scalar::MaxPool, narrow::MaxPool, wide::MaxPool);
}

const MaskRowKernels& SelectMaskRows(Isa isa) {
  return *Choose(isa, &scalar::kMaskRows, &narrow::kMaskRows, &wide::kMaskRows);
}

ResizeRowKernel SelectResizeRow(Isa isa) {
  return Choose(isa, scalar::ResizeRow, narrow::ResizeRow, wide::ResizeRow);
}

const ExactProduct& SelectExactProduct([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (isa != Isa::kScalar) {
    return isa == Isa::kAvx2 ? avx2::kExactProduct : avx512::kExactProduct;
  }
#endif
  return scalar::kExactProduct;  // the compiler's own vectors do well on aarch64
}

const PairKernels& SelectPairKernels(Isa isa) {
  return *Choose(isa, &scalar::kPairs, &narrow::kPairs, &wide::kPairs);
}

const WinogradTransforms& SelectWinograd(Isa isa, WinogradForm form) {
  const auto version = static_cast<size_t>(form);
#if defined(__x86_64__)
  if (isa == Isa::kAvx512Bf16 || isa == Isa::kAmx) return avx512_bf16::kWinograd[version];
#endif
  return *Choose(isa, &scalar::kWinograd[version], &narrow::kWinograd[version],
                 &wide::kWinograd[version]);
}

const AttentionKernels& SelectAttention(Isa isa, [[maybe_unused]] Element multiply) {
#if defined(__x86_64__)
  const bool multiplies_bf16 = isa == Isa::kAvx512Bf16 || isa == Isa::kAmx;
  if (multiply == Element::kBf16 && multiplies_bf16) return avx512_bf16::kAttention;
#endif
  return *Choose(isa, &scalar::kAttention, &narrow::kAttention, &wide::kAttention);
}

}  // namespace vernier
