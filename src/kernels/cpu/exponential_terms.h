// The numbers of e to a float, for plain_exponential.h and what does the same over vectors, bit by
// bit. Constants only: instruction-set files include it.
#pragma once

namespace vernier {

struct ExponentialTerms {
  static constexpr float kRounds = 12582912.0F;  // 1.5 * 2^23: adding it rounds to whole numbers
  static constexpr float kLog2E = 1.44269504F;
  // log(2) in two parts, the first of few bits, so that their products with whole numbers are
  // exact.
  static constexpr float kLog2High = 0.693359375F, kLog2Low = -2.12194440e-4F;
  // Cephes' expf: the rest of the series as a polynomial that is best on |r| <= log(2) / 2, from
  // r^7 to r^2.
  static constexpr float kSeries[] = {1.9875691500e-4F, 1.3981999507e-3F, 8.3334519073e-3F,
                                      4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F};
  // Beyond, rounding leaves nothing of a sigmoid's difference to 0 and 1.
  static constexpr float kSigmoidIsFlat = 88.0F;
};

}  // namespace vernier
