#include "kernels/cpu/rms_norm.h"

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class RmsNormKernels : public EachIsa {};

void ExpectNormalised(Isa isa, int64_t columns, Element out_element, float offset) {
  constexpr int64_t kRows = 3;
  constexpr double kEps = 1e-6;
  TestRows in(kRows, columns, Element::kF32), gamma(1, columns, Element::kF32);
  TestRows out(kRows, columns, out_element);
  in.FillNormal(kRows, columns, 1, 2.0f, offset);
  gamma.FillNormal(1, columns, 2);

  SelectRmsNorm(isa)({.rows = kRows,
                      .columns = columns,
                      .in = in.floats(),
                      .in_stride = in.stride(),
                      .gamma = gamma.floats(),
                      .eps = kEps,
                      .out = out.data(),
                      .out_element = out_element,
                      .out_stride = out.stride()});

  for (int64_t r = 0; r < kRows; ++r) {
    double mean = 0.0;
    for (int64_t c = 0; c < columns; ++c) {
      mean += std::pow(in.Get(r, c), 2) / static_cast<double>(columns);
    }
    for (int64_t c = 0; c < columns; ++c) {
      const double expected = in.Get(r, c) / std::sqrt(mean + kEps) * gamma.Get(0, c);
      // All squares are positive, so that each of a chain's additions errs by 2^-24 of the sum at
      // most: columns / 64 of them, halved by the root; three more roundings for the products.
      const double steps = 4.0 + static_cast<double>(columns) / 64;
      const double tolerance =
          steps * 0x1p-24 * std::abs(expected) + 2 * out.Rounding(expected) + 1e-30;
      EXPECT_NEAR(out.Get(r, c), expected, tolerance) << columns << " columns, row " << r;
    }
  }
}

TEST_P(RmsNormKernels, NormaliseRowsOfAnyLength) {
  for (int64_t columns : kColumns) {
    ExpectNormalised(GetParam(), columns, Element::kF32, 0.5f);
    ExpectNormalised(GetParam(), columns, Element::kBf16, 0.5f);
  }
}

TEST_P(RmsNormKernels, LeaveTheMeanWhereItIs) {
  ExpectNormalised(GetParam(), 768, Element::kF32, 1000.0f);
}

TEST_P(RmsNormKernels, KeepARowOfZerosZero) {
  constexpr int64_t kLength = 37;
  const std::vector<float> in(kLength, 0.0f), gamma(kLength, 3.0f);
  std::vector<float> out(kLength, 7.0f);
  SelectRmsNorm(GetParam())({.rows = 1,
                             .columns = kLength,
                             .in = in.data(),
                             .in_stride = kLength,
                             .gamma = gamma.data(),
                             .eps = 1e-6,
                             .out = out.data(),
                             .out_stride = kLength});
  for (float value : out) EXPECT_EQ(value, 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Isa, RmsNormKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
