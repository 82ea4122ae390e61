// e to a float, in plain arithmetic that compilers turn into vector code and that has the same bits
// on every machine; libm's is a call for each value.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/cpu/exponential_terms.h"

namespace vernier {

/// Within 2 ulp for -87 to 88, below 1e-37 from there down to a million less, NaN for NaN. Beyond,
/// the value means nothing: loops stay free of branches, which would keep them scalar.
inline float Exponential(float x) {
  constexpr int32_t kLeastPower = -126;
  using Terms = ExponentialTerms;
  const float rounded = x * Terms::kLog2E + Terms::kRounds;
  const float whole = rounded - Terms::kRounds;
  const float r = x - whole * Terms::kLog2High - whole * Terms::kLog2Low;
  float series = Terms::kSeries[0];
  series = series * r + Terms::kSeries[1];
  series = series * r + Terms::kSeries[2];
  series = series * r + Terms::kSeries[3];
  series = series * r + Terms::kSeries[4];
  series = series * r + Terms::kSeries[5];
  series = series * r * r + r + 1.0F;
  const int32_t power = std::bit_cast<int32_t>(rounded) - std::bit_cast<int32_t>(Terms::kRounds);
  const int32_t bounded = power < kLeastPower ? kLeastPower : power;
  return series * std::bit_cast<float>((bounded + 127) << 23);
}

inline float Sigmoid(float x) {
  constexpr float kFar = ExponentialTerms::kSigmoidIsFlat;
  const float bounded = x < -kFar ? -kFar : x;
  return 1.0F / (1.0F + Exponential(bounded > kFar ? -kFar : -bounded));
}

}  // namespace vernier
