// Softmax in plain C++: the contract of the other versions.
#include "kernels/cpu/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vernier::scalar {

void Softmax(const SoftmaxArgs& args) noexcept {
  constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* in = args.in + row * args.in_stride;
    float* out = args.out + row * args.out_stride;
    float largest = kMinusInfinity;
    for (int64_t i = 0; i < args.columns; ++i) largest = std::max(largest, in[i]);
    if (largest == kMinusInfinity) largest = 0.0f;
    double sum = 0.0;
    for (int64_t i = 0; i < args.columns; ++i) sum += out[i] = std::exp(in[i] - largest);
    const float factor = sum == 0.0 ? 0.0f : static_cast<float>(1.0 / sum);
    for (int64_t i = 0; i < args.columns; ++i) out[i] *= factor;
  }
}

}  // namespace vernier::scalar
