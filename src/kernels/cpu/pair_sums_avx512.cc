// Sums over pairs, AVX-512 F/BW/VL/DQ.
#include <immintrin.h>

#include "kernels/cpu/pair_sums_impl.h"

namespace vernier::avx512 {
namespace {

struct Vec {
  using Double = __m512d;
  using Bits = __m512i;
  using Unsigned = __v8du;
  static Double Load(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
  static Double Fma(Double a, Double b, Double c) { return _mm512_fmadd_pd(a, b, c); }
  static Double Max(Double a, Double b) { return _mm512_max_pd(a, b); }
  static Double Min(Double a, Double b) { return _mm512_min_pd(a, b); }
};

}  // namespace

const PairKernels kPairs = PairKernelsOf<Vec>("avx512");

}  // namespace vernier::avx512
