// Layer normalisation in plain C++ with fp64 sums: the contract of the other versions.
#include <cmath>

#include "core/float_types.h"
#include "kernels/cpu/layer_norm.h"

namespace vernier::scalar {

void LayerNorm(const LayerNormArgs& args) noexcept {
  const double columns = static_cast<double>(args.columns);
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* in = args.in + row * args.in_stride;
    double mean = 0.0, variance = 0.0;
    for (int64_t i = 0; i < args.columns; ++i) mean += in[i];
    mean /= columns;
    for (int64_t i = 0; i < args.columns; ++i) variance += (in[i] - mean) * (in[i] - mean);
    const double factor = 1.0 / std::sqrt(variance / columns + args.eps);
    for (int64_t i = 0; i < args.columns; ++i) {
      const float scaled = static_cast<float>((in[i] - mean) * factor) * args.gamma[i];
      const float value = args.beta == nullptr ? scaled : scaled + args.beta[i];
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
