// Attention, AVX-512 F/BW/VL/DQ and BF16: both products by vdpbf16ps, two bf16 products per lane
// added to an fp32 sum. Queries, keys, values and unnormalised probabilities are bf16.
#include "kernels/cpu/attention_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512_bf16 {
namespace {

struct Units {
  using Vec = avx512::Vec;
  using Element = uint16_t;
  static constexpr int64_t kPerUnit = 2;
  static constexpr int kRows = 6;
  static constexpr int kVectors = 4;
  static Vec Multiply(Vec a, Vec b, Vec sum) {
    return {
        _mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(a.v), reinterpret_cast<__m512bh>(b.v))};
  }
  /// 2^t within 7.5e-5 of itself, a 26th of what rounding to bf16 may change: a cubic, minimax in
  /// relative error, on t's fraction. Minus infinity gives zero.
  static Vec PowerOfTwo(Vec t) {
    constexpr int kFraction = _MM_FROUND_TO_NEG_INF;  // t - floor(t)
    constexpr float kCubic[] = {0.99992520f, 0.69583353f, 0.22606717f, 0.07802452f};
    return {_mm512_scalef_ps(Horner(Vec{_mm512_reduce_ps(t.v, kFraction)}, kCubic).v, t.v)};
  }
  static void Store(Vec x, uint16_t* to) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x.v)));
  }
};

}  // namespace

const AttentionKernels kAttention = AttentionVersion<Units>::Kernels("avx512_bf16");

}  // namespace vernier::avx512_bf16
