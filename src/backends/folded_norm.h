// BatchNorm folded into the product before it: y = norm(W x + b) as W' x + b'.
#pragma once

#include <cstdint>
#include <span>

namespace vernier {

/// One number per channel, as published models store them.
struct NormTerms {
  std::span<const float> gain;
  std::span<const float> shift;
  std::span<const float> mean;
  std::span<const float> variance;
  double eps = 0;
};

/// In place: `weight` holds one row for each channel, `bias` one number (0 where the product has
/// none). Computed in double, rounded once.
void FoldNorm(const NormTerms& norm, std::span<float> weight, std::span<float> bias);

}  // namespace vernier
