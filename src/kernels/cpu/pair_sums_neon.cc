// Sums over pairs, NEON (aarch64).
#include <arm_neon.h>

#include "kernels/cpu/pair_sums_impl.h"

namespace vernier::neon {
namespace {

struct Vec {
  using Double = float64x2_t;
  using Bits = int64x2_t;
  using Unsigned = uint64x2_t;
  static Double Load(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
  static Double Fma(Double a, Double b, Double c) { return vfmaq_f64(c, a, b); }
  static Double Max(Double a, Double b) { return vmaxq_f64(a, b); }
  static Double Min(Double a, Double b) { return vminq_f64(a, b); }
};

}  // namespace

const PairKernels kPairs = PairKernelsOf<Vec>("neon");

}  // namespace vernier::neon
