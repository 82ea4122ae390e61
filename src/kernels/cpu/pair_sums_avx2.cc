// Sums over pairs, AVX2 and FMA.
#include <immintrin.h>

#include "kernels/cpu/pair_sums_impl.h"

namespace vernier::avx2 {
namespace {

struct Vec {
  using Double = __m256d;
  using Bits = __m256i;
  using Unsigned = __v4du;
  static Double Load(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
  static Double Fma(Double a, Double b, Double c) { return _mm256_fmadd_pd(a, b, c); }
  static Double Max(Double a, Double b) { return _mm256_max_pd(a, b); }
  static Double Min(Double a, Double b) { return _mm256_min_pd(a, b); }
};

}  // namespace

const PairKernels kPairs = PairKernelsOf<Vec>("avx2");

}  // namespace vernier::avx2
