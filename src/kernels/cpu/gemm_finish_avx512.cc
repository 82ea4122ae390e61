// Bias, activation, scale, residual and store of a wide panel, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/vec_avx512_finish.h"

#include "kernels/cpu/gemm_finish_simd.h"

namespace vernier::avx512 {
namespace {

// By integers, as ToBf16 does it: the conversion instruction would flush subnormals to zero.
struct RoundedByIntegers {
  static constexpr bool kOnly = false;

  static __m256i Round(__m512 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i lowest = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(bits, _mm512_add_epi32(lowest, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i chosen = _mm512_mask_mov_epi32(rounded, nan, quiet);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(chosen, 16));
  }
};

}  // namespace

void Finish(const GemmFinish& f) noexcept {
  FinishPanel<FinishVec<RoundedByIntegers>, kWidePanelColumns>(f);
}

}  // namespace vernier::avx512
