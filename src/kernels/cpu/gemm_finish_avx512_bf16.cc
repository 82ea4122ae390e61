// Bias, activation, scale, residual and store of a wide panel whose result is bf16, AVX-512
// F/BW/VL/DQ and BF16. As exact as bf16 keeps: activations by sigmoids within 1.4e-4 of themselves,
// a 28th of what rounding may change, and the conversion instruction, which flushes
// subnormals to zero as the products that read them do. A third of the instructions that fp32
// results need: 1.1 % instead of 7 % of a product 1152 deep with GELU (Zen 4).
#include "kernels/cpu/vec_avx512_finish.h"

#include "kernels/cpu/gemm_finish_simd.h"

namespace vernier::avx512_bf16 {
namespace {

struct RoundedByInstruction {
  static constexpr bool kOnly = true;

  static __m256i Round(__m512 v) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)); }

  /// 1 / (1 + 2^t): a cubic on t's fraction (minimax in relative error, 7.5e-5) and the
  /// reciprocal's first 14 bits.
  static __m512 Logistic2(__m512 t) {
    using Vector = FinishVec<RoundedByInstruction>;
    constexpr int kFraction = _MM_FROUND_TO_NEG_INF;  // t - floor(t)
    constexpr float kCubic[] = {0.99992520f, 0.69583353f, 0.22606717f, 0.07802452f};
    const Vector power = {
        _mm512_scalef_ps(Polynomial(kCubic, Vector{_mm512_reduce_ps(t, kFraction)}).v, t)};
    return _mm512_rcp14_ps((Vector::Set(1.0f) + power).v);
  }
};

}  // namespace

void FinishToBf16(const GemmFinish& f) noexcept {
  FinishPanel<FinishVec<RoundedByInstruction>, kWidePanelColumns>(f);
}

}  // namespace vernier::avx512_bf16
