// e to a float, in plain arithmetic that compilers turn into vector code and that has the same bits
// on every machine; libm's is a call for each value.
#pragma once

#include <bit>
#include <cstdint>

namespace vernier {

/// Within 2 ulp for -87 to 88, below 1e-37 from there down to a million less, NaN for NaN. Beyond,
/// the value means nothing: loops stay free of branches, which would keep them scalar.
inline float Exponential(float x) {
  constexpr int32_t kLeastPower = -126;
  constexpr float kRounds = 12582912.0F;  // 1.5 * 2^23: adding it rounds to whole numbers
  constexpr float kLog2E = 1.44269504F;
  // log(2) in two parts, the first of few bits, so that their products with whole numbers are
  // exact.
  constexpr float kLog2High = 0.693359375F, kLog2Low = -2.12194440e-4F;
  const float rounded = x * kLog2E + kRounds;
  const float whole = rounded - kRounds;
  const float r = x - whole * kLog2High - whole * kLog2Low;
  // Cephes' expf: the rest of the series as a polynomial that is best on |r| <= log(2) / 2.
  float series = 1.9875691500e-4F;
  series = series * r + 1.3981999507e-3F;
  series = series * r + 8.3334519073e-3F;
  series = series * r + 4.1665795894e-2F;
  series = series * r + 1.6666665459e-1F;
  series = series * r + 5.0000001201e-1F;
  series = series * r * r + r + 1.0F;
  const int32_t power = std::bit_cast<int32_t>(rounded) - std::bit_cast<int32_t>(kRounds);
  const int32_t bounded = power < kLeastPower ? kLeastPower : power;
  return series * std::bit_cast<float>((bounded + 127) << 23);
}

inline float Sigmoid(float x) {
  constexpr float kFar = 88.0F;  // beyond, rounding leaves nothing of the difference to 0 and 1
  const float bounded = x < -kFar ? -kFar : x;
  return 1.0F / (1.0F + Exponential(bounded > kFar ? -kFar : -bounded));
}

}  // namespace vernier
