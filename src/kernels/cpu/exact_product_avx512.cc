// The exact product, AVX-512 F: 8 rows by 24 columns in 24 registers.
// -ffp-contract=off (cmake/options.cmake) keeps the compiler from fusing MultiplyThenAdd.
#include <immintrin.h>

#include "kernels/cpu/exact_product_impl.h"

namespace vernier::avx512 {
namespace {

struct Doubles {
  static constexpr int kWidth = 8;
  __m512d v;

  static Doubles Zero() { return {_mm512_setzero_pd()}; }
  static Doubles Load(const double* from) { return {_mm512_loadu_pd(from)}; }
  static Doubles Broadcast(double x) { return {_mm512_set1_pd(x)}; }
  static Doubles MultiplyAdd(Doubles a, Doubles b, Doubles sum) {
    return {_mm512_fmadd_pd(a.v, b.v, sum.v)};
  }
  static Doubles MultiplyThenAdd(Doubles a, Doubles b, Doubles sum) {
    return {_mm512_add_pd(_mm512_mul_pd(a.v, b.v), sum.v)};
  }
  void Store(double* to) const { _mm512_storeu_pd(to, v); }
};

constexpr int kRows = 8;
constexpr int kVectors = 3;

}  // namespace

const ExactProduct kExactProduct = {kRows, kVectors* Doubles::kWidth,
                                    MultiplyExactly<Doubles, kRows, kVectors, true>,
                                    MultiplyExactly<Doubles, kRows, kVectors, false>};

}  // namespace vernier::avx512
