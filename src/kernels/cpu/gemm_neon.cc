// Packed matrix multiplication, Armv8-A Advanced SIMD. Narrow panels (pack.h); narrow types are
// widened in registers. A tile of 6 rows by 16 columns keeps 24 sums, 4 weights and 1 factor in the
// 32 registers: 24 multiply-adds for 10 loads per k. Bound: FMA throughput (not measured on
// hardware).
#include <arm_neon.h>

#include "kernels/cpu/gemm_multiply_simd.h"

namespace vernier::neon {
namespace {

struct Base {
  using Operand = float32x4_t;
  using Register = float32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kVectors = kNarrowPanelColumns / kLanes;
  static constexpr int kTileRows = 6;
  static constexpr bool kPairs = false;
  static constexpr int kDigits = 1;
  static float32x4_t Zero() { return vdupq_n_f32(0.0f); }
  static float32x4_t Load(const float* from) { return vld1q_f32(from); }
  static void Store(float* to, float32x4_t sums) { vst1q_f32(to, sums); }
  static float32x4_t MultiplyAdd(float32x4_t factor, float32x4_t weights, float32x4_t sum) {
    return vfmaq_f32(sum, factor, weights);
  }
};

struct F32Activations : Base {
  using A = float;
  static float32x4_t Factor(const float* a) { return vld1q_dup_f32(a); }
  static float32x4_t LastFactor(const float* a) { return Factor(a); }
};

struct Bf16Activations : Base {
  using A = uint16_t;
  static float32x4_t Factor(const uint16_t* a) {
    return vreinterpretq_f32_u32(vdupq_n_u32(uint32_t{*a} << 16));
  }
  static float32x4_t LastFactor(const uint16_t* a) { return Factor(a); }
};

// Rows of the panel as they lie.
template <typename Activations>
struct F32Weights : Activations {
  using B = float;
  template <int kOdd>
  static float32x4_t Weights(const float* b, int64_t pair, int vector) {
    return vld1q_f32(b + (2 * pair + kOdd) * kNarrowPanelColumns + vector * Base::kLanes);
  }
};

// Pairs of k in 32 bits, the even one in the low half.
template <typename Activations>
struct Bf16Weights : Activations {
  using B = uint16_t;
  template <int kOdd>
  static float32x4_t Weights(const uint16_t* b, int64_t pair, int vector) {
    const uint32x4_t both = vreinterpretq_u32_u16(
        vld1q_u16(b + 2 * (pair * kNarrowPanelColumns + vector * Base::kLanes)));
    return vreinterpretq_f32_u32(kOdd ? vandq_u32(both, vdupq_n_u32(0xffff0000u))
                                      : vshlq_n_u32(both, 16));
  }
};

// Pairs of k in 16 bits, the even one in the low half.
template <typename Activations>
struct I8Weights : Activations {
  using B = int8_t;
  template <int kOdd>
  static float32x4_t Weights(const int8_t* b, int64_t pair, int vector) {
    const int16x4_t both =
        vreinterpret_s16_s8(vld1_s8(b + 2 * (pair * kNarrowPanelColumns + vector * Base::kLanes)));
    const int16x4_t high = kOdd ? both : vshl_n_s16(both, 8);
    return vcvtq_f32_s32(vmovl_s16(vshr_n_s16(high, 8)));
  }
};

}  // namespace

void MultiplyF32F32(const GemmMultiply& g) noexcept {
  MultiplyPanel<F32Weights<F32Activations>>(g);
}
void MultiplyF32Bf16(const GemmMultiply& g) noexcept {
  MultiplyPanel<Bf16Weights<F32Activations>>(g);
}
void MultiplyBf16Bf16(const GemmMultiply& g) noexcept {
  MultiplyPanel<Bf16Weights<Bf16Activations>>(g);
}
void MultiplyF32I8(const GemmMultiply& g) noexcept { MultiplyPanel<I8Weights<F32Activations>>(g); }
void MultiplyBf16I8(const GemmMultiply& g) noexcept {
  MultiplyPanel<I8Weights<Bf16Activations>>(g);
}

}  // namespace vernier::neon
