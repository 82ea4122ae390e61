// The exact product, AVX2 and FMA: 4 rows by 12 columns in 12 registers.
// -ffp-contract=off (cmake/options.cmake) keeps the compiler from fusing MultiplyThenAdd.
#include <immintrin.h>

#include "kernels/cpu/exact_product_impl.h"

namespace vernier::avx2 {
namespace {

struct Doubles {
  static constexpr int kWidth = 4;
  __m256d v;

  static Doubles Zero() { return {_mm256_setzero_pd()}; }
  static Doubles Load(const double* from) { return {_mm256_loadu_pd(from)}; }
  static Doubles Broadcast(double x) { return {_mm256_set1_pd(x)}; }
  static Doubles MultiplyAdd(Doubles a, Doubles b, Doubles sum) {
    return {_mm256_fmadd_pd(a.v, b.v, sum.v)};
  }
  static Doubles MultiplyThenAdd(Doubles a, Doubles b, Doubles sum) {
    return {_mm256_add_pd(_mm256_mul_pd(a.v, b.v), sum.v)};
  }
  void Store(double* to) const { _mm256_storeu_pd(to, v); }
};

constexpr int kRows = 4;
constexpr int kVectors = 3;

}  // namespace

const ExactProduct kExactProduct = {kRows, kVectors* Doubles::kWidth,
                                    MultiplyExactly<Doubles, kRows, kVectors, true>,
                                    MultiplyExactly<Doubles, kRows, kVectors, false>};

}  // namespace vernier::avx2
