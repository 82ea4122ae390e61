// Packed matrix multiplication of bf16 by bf16, AVX-512 F/BW/VL/DQ and BF16. Wide
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
  static constexpr int kDigits = 1;
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

}  // namespace

void MultiplyBf16Bf16(const GemmMultiply& g) noexcept { MultiplyPanel<PairsOfBf16>(g); }

}  // namespace vernier::avx512_bf16
