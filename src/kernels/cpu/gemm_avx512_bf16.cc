// Packed matrix multiplication of bf16 by bf16 or i8, AVX-512 F/BW/VL/DQ, BF16 and VBMI. Wide
// panels in pairs of k (pack.h). vdpbf16ps adds two products to each fp32 sum; it takes subnormals
// as zero. The tile is that of gemm_avx512.cc. Bound: one vdpbf16ps per cycle (gemm.h has figures).
#include <immintrin.h>

#include "kernels/cpu/gemm_multiply_simd.h"

namespace vernier::avx512_bf16 {
namespace {

struct PairsOfBf16 {
  using A = uint16_t;
  using B = uint16_t;
  using Operand = __m512i;
  using Register = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kVectors = kWidePanelColumns / kLanes;
  static constexpr int kTileRows = 6;
  static constexpr bool kPairs = true;
  static __m512 Zero() { return _mm512_setzero_ps(); }
  static __m512 Load(const float* from) { return _mm512_loadu_ps(from); }
  static void Store(float* to, __m512 sums) { _mm512_storeu_ps(to, sums); }
  template <int kOdd>
  static __m512i Weights(const uint16_t* b, int64_t pair, int vector) {
    return _mm512_loadu_si512(b + 2 * (pair * kWidePanelColumns + vector * kLanes));
  }
  static __m512i Factor(const uint16_t* a) {
    int32_t both = 0;
    __builtin_memcpy(&both, a, sizeof(both));
    return _mm512_set1_epi32(both);
  }
  // What lies beyond an odd k in memory is not part of the row.
  static __m512i LastFactor(const uint16_t* a) { return _mm512_set1_epi32(*a); }
  static __m512 MultiplyAdd(__m512i factor, __m512i weights, __m512 sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(factor),
                            reinterpret_cast<__m512bh>(weights));
  }
};

// An i8 weight's bf16, which is exact, by its size: the low byte, and the high one without a sign.
struct alignas(64) Bf16Bytes {
  uint8_t low[128];
  uint8_t high[128];
};

constexpr Bf16Bytes BytesOfSizes() {
  constexpr int kFractionBits = 7, kBias = 127;
  Bf16Bytes bytes = {};
  int exponent = 0;
  for (int size = 1; size < 128; ++size) {
    if (size >> (exponent + 1) != 0) ++exponent;
    const int fraction = (size << (kFractionBits - exponent)) & 0x7f;
    const int bits = ((kBias + exponent) << kFractionBits) | fraction;
    bytes.low[size] = static_cast<uint8_t>(bits & 0xff);
    bytes.high[size] = static_cast<uint8_t>(bits >> 8);
  }
  return bytes;
}

constexpr Bf16Bytes kBytesOfSizes = BytesOfSizes();

// Weights become bf16 by looking up both bytes. By way of fp32 it takes twice as many instructions,
// which bind a single row: 24 instead of 37 GB/s a core from the second-level cache (Zen 4).
struct PairsOfI8 : PairsOfBf16 {
  using B = int8_t;
  template <int kOdd>
  static __m512i Weights(const int8_t* b, int64_t pair, int vector) {
    const auto looked_up = [](const uint8_t(&table)[128], __m512i sizes) {
      return _mm512_permutex2var_epi8(_mm512_load_si512(table), sizes,
                                      _mm512_load_si512(table + 64));
    };
    // So that unpacking, which works within lanes of 128 bits, leaves columns in order.
    const __m512i both = _mm512_permutexvar_epi64(
        _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7),
        _mm512_loadu_si512(b + 2 * (pair * kWidePanelColumns + vector / 2 * 32)));
    const __m512i sizes = _mm512_abs_epi8(both);
    const __m512i low = looked_up(kBytesOfSizes.low, sizes);
    constexpr int kOrAnd = 0xf8;  // x | (y & z)
    const __m512i high = _mm512_ternarylogic_epi64(looked_up(kBytesOfSizes.high, sizes), both,
                                                   _mm512_set1_epi8(-128), kOrAnd);
    return vector % 2 == 0 ? _mm512_unpacklo_epi8(low, high) : _mm512_unpackhi_epi8(low, high);
  }
};

}  // namespace

void MultiplyBf16Bf16(const GemmMultiply& g) noexcept { MultiplyPanel<PairsOfBf16>(g); }
void MultiplyBf16I8(const GemmMultiply& g) noexcept { MultiplyPanel<PairsOfI8>(g); }
void WidenToBf16(const GemmWiden& w) noexcept { WidenPanel<PairsOfI8, uint16_t>(w); }

}  // namespace vernier::avx512_bf16
