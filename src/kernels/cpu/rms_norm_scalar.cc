// Root-mean-square normalisation in plain C++ with fp64 sums: the contract of the other versions.
#include <cmath>

#include "core/float_types.h"
#include "kernels/cpu/rms_norm.h"

namespace vernier::scalar {

void RmsNorm(const RmsNormArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* in = args.in + row * args.in_stride;
    double squares = 0.0;
    for (int64_t i = 0; i < args.columns; ++i) squares += static_cast<double>(in[i]) * in[i];
    const double mean = squares / static_cast<double>(args.columns);
    const double factor = 1.0 / std::sqrt(mean + args.eps);
    for (int64_t i = 0; i < args.columns; ++i) {
      const float value = static_cast<float>(in[i] * factor) * args.gamma[i];
      const int64_t at = row * args.out_stride + i;
      if (args.out_element == Element::kF32) {
        static_cast<float*>(args.out)[at] = value;
      } else {
        static_cast<uint16_t*>(args.out)[at] = ToBf16(value);
      }
    }
  }
}

}  // namespace vernier::scalar
