// Packed matrix multiplication, AVX2 and FMA. Narrow panels (pack.h); narrow types are widened in
// registers.
// A tile of 6 rows by 16 columns keeps 12 sums, 2 weights and 1 factor in the 16 registers: 12
// multiply-adds for 8 loads per k. Bound: FMA throughput (share not measured).
#include <immintrin.h>

#include "kernels/cpu/gemm_multiply_simd.h"

namespace vernier::avx2 {
namespace {

struct Base {
  using Operand = __m256;
  using Register = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kVectors = kNarrowPanelColumns / kLanes;
  static constexpr int kTileRows = 6;
  static constexpr bool kPairs = false;
  static constexpr int kDigits = 1;
  static __m256 Zero() { return _mm256_setzero_ps(); }
  static __m256 Load(const float* from) { return _mm256_loadu_ps(from); }
  static void Store(float* to, __m256 sums) { _mm256_storeu_ps(to, sums); }
  static __m256 MultiplyAdd(__m256 factor, __m256 weights, __m256 sum) {
    return _mm256_fmadd_ps(factor, weights, sum);
  }
};

struct F32Activations : Base {
  using A = float;
  static __m256 Factor(const float* a) { return _mm256_set1_ps(*a); }
  static __m256 LastFactor(const float* a) { return Factor(a); }
};

struct Bf16Activations : Base {
  using A = uint16_t;
  static __m256 Factor(const uint16_t* a) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int32_t>(uint32_t{*a} << 16)));
  }
  static __m256 LastFactor(const uint16_t* a) { return Factor(a); }
};

// Rows of the panel as they lie.
template <typename Activations>
struct F32Weights : Activations {
  using B = float;
  template <int kOdd>
  static __m256 Weights(const float* b, int64_t pair, int vector) {
    return _mm256_loadu_ps(b + (2 * pair + kOdd) * kNarrowPanelColumns + vector * Base::kLanes);
  }
};

// Pairs of k in 32 bits, the even one in the low half.
template <typename Activations>
struct Bf16Weights : Activations {
  using B = uint16_t;
  template <int kOdd>
  static __m256 Weights(const uint16_t* b, int64_t pair, int vector) {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(
        b + 2 * (pair * kNarrowPanelColumns + vector * Base::kLanes)));
    return _mm256_castsi256_ps(kOdd ? _mm256_and_si256(both, _mm256_set1_epi32(-0x10000))
                                    : _mm256_slli_epi32(both, 16));
  }
};

// Pairs of k in 16 bits, the even one in the low half.
template <typename Activations>
struct I8Weights : Activations {
  using B = int8_t;
  template <int kOdd>
  static __m256 Weights(const int8_t* b, int64_t pair, int vector) {
    const __m256i both = _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(
        b + 2 * (pair * kNarrowPanelColumns + vector * Base::kLanes))));
    const __m256i high = kOdd ? both : _mm256_slli_epi32(both, 24);
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(high, kOdd ? 8 : 24));
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

}  // namespace vernier::avx2
