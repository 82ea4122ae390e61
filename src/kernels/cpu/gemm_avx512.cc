// Packed matrix multiplication, AVX-512 F/BW/VL/DQ. Wide panels (pack.h); narrow types are widened
// in registers. A tile of 6 rows by 64 columns keeps 24 sums, 4 weights and 1 factor in the 32
// registers: 24 multiply-adds for 10 loads per k. Bound: FMA throughput (gemm.h has figures).
#include <immintrin.h>

#include "kernels/cpu/gemm_multiply_simd.h"

namespace vernier::avx512 {
namespace {

struct Base {
  using Operand = __m512;
  using Register = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kVectors = kWidePanelColumns / kLanes;
  static constexpr int kTileRows = 6;
  static constexpr bool kPairs = false;
  static constexpr int kDigits = 1;
  static __m512 Zero() { return _mm512_setzero_ps(); }
  static __m512 Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, __m512 sums) { _mm512_storeu_ps(to, sums); }
  static __m512 MultiplyAdd(__m512 factor, __m512 weights, __m512 sum) {
    return _mm512_fmadd_ps(factor, weights, sum);
  }
};

struct F32Activations : Base {
  using A = float;
  static __m512 Factor(const float* a) { return _mm512_set1_ps(*a); }
  static __m512 LastFactor(const float* a) { return Factor(a); }
};

struct Bf16Activations : Base {
  using A = uint16_t;
  static __m512 Factor(const uint16_t* a) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int32_t>(uint32_t{*a} << 16)));
  }
  static __m512 LastFactor(const uint16_t* a) { return Factor(a); }
};

// Rows of the panel as they lie.
template <typename Activations>
struct F32Weights : Activations {
  using B = float;
  template <int kOdd>
  static __m512 Weights(const float* b, int64_t pair, int vector) {
    return _mm512_loadu_ps(b + (2 * pair + kOdd) * kWidePanelColumns + vector * Base::kLanes);
  }
};

// Pairs of k in 32 bits, the even one in the low half.
template <typename Activations>
struct Bf16Weights : Activations {
  using B = uint16_t;
  template <int kOdd>
  static __m512 Weights(const uint16_t* b, int64_t pair, int vector) {
    const __m512i both =
        _mm512_loadu_si512(b + 2 * (pair * kWidePanelColumns + vector * Base::kLanes));
    return _mm512_castsi512_ps(kOdd ? _mm512_and_si512(both, _mm512_set1_epi32(-0x10000))
                                    : _mm512_slli_epi32(both, 16));
  }
};

// Pairs of k in 16 bits, the even one in the low half. A weight plus 128, its upper bit turned, is
// a byte; as the unit's bits of 2^23, or one byte higher of 2^15, it makes a number from which one
// subtraction leaves the weight. Shifts and conversions of integers would bind a single row.
template <typename Activations>
struct I8Weights : Activations {
  using B = int8_t;
  template <int kOdd>
  static __m512 Weights(const int8_t* b, int64_t pair, int vector) {
    const __m512i both = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(
        b + 2 * (pair * kWidePanelColumns + vector * Base::kLanes))));
    constexpr int32_t kByte = kOdd ? 0xff00 : 0xff, kTop = kOdd ? 0x8000 : 0x80;
    constexpr float kBase = kOdd ? 32768.0f : 8388608.0f;
    const __m512i base = _mm512_castps_si512(_mm512_set1_ps(kBase));
    constexpr int kXorAnd = 0x78;  // x ^ (y & z)
    const __m512i numbers = _mm512_ternarylogic_epi32(
        _mm512_xor_si512(base, _mm512_set1_epi32(kTop)), both, _mm512_set1_epi32(kByte), kXorAnd);
    return _mm512_sub_ps(_mm512_castsi512_ps(numbers), _mm512_set1_ps(kBase + 128.0f));
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
void WidenToF32(const GemmWiden& w) noexcept { WidenPanel<I8Weights<F32Activations>>(w); }

}  // namespace vernier::avx512
