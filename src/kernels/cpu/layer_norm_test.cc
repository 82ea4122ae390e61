#include "kernels/cpu/layer_norm.h"

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class LayerNormKernels : public EachIsa {};

void ExpectNormalised(Isa isa, int64_t columns, Element out_element, float offset) {
  constexpr int64_t kRows = 3;
  constexpr double kEps = 1e-12;
  TestRows in(kRows, columns, Element::kF32), gamma(1, columns, Element::kF32);
  TestRows beta(1, columns, Element::kF32), out(kRows, columns, out_element);
  in.FillNormal(kRows, columns, 1, 2.0f, offset);
  gamma.FillNormal(1, columns, 2);
  beta.FillNormal(1, columns, 3);

  SelectLayerNorm(isa)({.rows = kRows,
                        .columns = columns,
                        .in = in.floats(),
                        .in_stride = in.stride(),
                        .gamma = gamma.floats(),
                        .beta = beta.floats(),
                        .eps = kEps,
                        .out = out.data(),
                        .out_element = out_element,
                        .out_stride = out.stride()});

  for (int64_t r = 0; r < kRows; ++r) {
    double mean = 0.0, variance = 0.0;
    for (int64_t c = 0; c < columns; ++c) mean += in.Get(r, c) / static_cast<double>(columns);
    for (int64_t c = 0; c < columns; ++c) {
      variance += std::pow(in.Get(r, c) - mean, 2) / static_cast<double>(columns);
    }
    const double factor = 1.0 / std::sqrt(variance + kEps);
    for (int64_t c = 0; c < columns; ++c) {
      const double scaled = (in.Get(r, c) - mean) * factor * gamma.Get(0, c);
      const double expected = scaled + beta.Get(0, c);
      // Each of the steps (difference, factor, products, sum) rounds once; the difference's error
      // is relative to the input's size.
      const double input_error = std::abs(in.Get(r, c) * factor * gamma.Get(0, c)) * 0x1p-24;
      const double tolerance =
          2 * input_error + 8 * 0x1p-24 * std::abs(scaled) + 2 * out.Rounding(expected) + 1e-7;
      EXPECT_NEAR(out.Get(r, c), expected, tolerance) << columns << " columns, row " << r;
    }
  }
}

TEST_P(LayerNormKernels, NormaliseRowsOfAnyLength) {
  for (int64_t columns : kColumns) {
    ExpectNormalised(GetParam(), columns, Element::kF32, 0.5f);
    ExpectNormalised(GetParam(), columns, Element::kBf16, 0.5f);
  }
}

TEST_P(LayerNormKernels, KeepTheirAccuracyFarFromZero) {
  ExpectNormalised(GetParam(), 768, Element::kF32, 1000.0f);
}

TEST_P(LayerNormKernels, GiveBetaForConstantRowsEvenWithATinyEpsilon) {
  constexpr int64_t kLength = 771;
  const std::vector<float> in(kLength, 123.456f), gamma(kLength, 1.0f), beta(kLength, 0.25f);
  std::vector<float> out(kLength);
  SelectLayerNorm(GetParam())({.rows = 1,
                               .columns = kLength,
                               .in = in.data(),
                               .in_stride = kLength,
                               .gamma = gamma.data(),
                               .beta = beta.data(),
                               .eps = 1e-12,
                               .out = out.data(),
                               .out_stride = kLength});
  // What is left of the mean after its correction is below 2^-24 of its first rounding error
  // (1e-5 here), against a divisor of 1e-6.
  for (float value : out) EXPECT_NEAR(value, 0.25f, 1e-5f);
}

TEST_P(LayerNormKernels, GiveARowTheSameBitsAloneAndInABatch) {
  constexpr int64_t kRows = 5, kLength = 197;
  TestRows in(kRows, kLength, Element::kF32), together(kRows, kLength, Element::kF32);
  TestRows alone(1, kLength, Element::kF32);
  in.FillNormal(kRows, kLength, 4);
  const std::vector<float> gamma(kLength, 1.5f);
  LayerNormArgs args = {.rows = kRows,
                        .columns = kLength,
                        .in = in.floats(),
                        .in_stride = in.stride(),
                        .gamma = gamma.data(),
                        .eps = 1e-5,
                        .out = together.data(),
                        .out_stride = together.stride()};
  SelectLayerNorm(GetParam())(args);
  args.rows = 1;
  args.in = in.floats() + 3 * in.stride();
  args.out = alone.data();
  SelectLayerNorm(GetParam())(args);
  for (int64_t c = 0; c < kLength; ++c) EXPECT_EQ(alone.Get(0, c), together.Get(3, c));
}

INSTANTIATE_TEST_SUITE_P(Isa, LayerNormKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
