#include "backends/folded_norm.h"

#include <cmath>

#include "core/check.h"

namespace vernier {

void FoldNorm(const NormTerms& norm, std::span<float> weight, std::span<float> bias) {
  const size_t channels = bias.size();
  VN_CHECK(norm.gain.size() == channels && norm.shift.size() == channels &&
               norm.mean.size() == channels && norm.variance.size() == channels,
           "a norm of another width");
  const size_t row = channels == 0 ? 0 : weight.size() / channels;
  for (size_t c = 0; c < channels; ++c) {
    const double factor = norm.gain[c] / std::sqrt(norm.variance[c] + norm.eps);
    for (float& w : weight.subspan(c * row, row)) w = static_cast<float>(w * factor);
    const double centred = static_cast<double>(bias[c]) - norm.mean[c];
    bias[c] = static_cast<float>(centred * factor + norm.shift[c]);
  }
}

}  // namespace vernier
