#include "kernels/cpu/softmax.h"

#include <limits>

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class SoftmaxKernels : public EachIsa {};

TEST_P(SoftmaxKernels, SumToOneOverRowsOfAnyLength) {
  constexpr int64_t kRows = 3;
  for (int64_t columns : kColumns) {
    TestRows in(kRows, columns, Element::kF32), out(kRows, columns, Element::kF32);
    in.FillNormal(kRows, columns, 1, 10.0f);

    SelectSoftmax(GetParam())({.rows = kRows,
                               .columns = columns,
                               .in = in.floats(),
                               .in_stride = in.stride(),
                               .out = out.floats(),
                               .out_stride = out.stride()});

    for (int64_t r = 0; r < kRows; ++r) {
      double sum = 0.0;
      for (int64_t c = 0; c < columns; ++c) sum += std::exp(static_cast<double>(in.Get(r, c)));
      for (int64_t c = 0; c < columns; ++c) {
        const double expected = std::exp(static_cast<double>(in.Get(r, c))) / sum;
        // The difference to the maximum (up to 80) rounds to 2^-18; the rest is a few ulp.
        EXPECT_NEAR(out.Get(r, c), expected, expected * (0x1p-18 + 16 * 0x1p-24) + 1e-37);
      }
    }
  }
}

TEST_P(SoftmaxKernels, GiveZerosForARowWithoutAnyFiniteScore) {
  std::vector<float> row(21, -std::numeric_limits<float>::infinity());
  SelectSoftmax(GetParam())({.rows = 1, .columns = 21, .in = row.data(), .out = row.data()});
  for (float value : row) EXPECT_EQ(value, 0.0f);
}

TEST_P(SoftmaxKernels, LetNanSpreadOverItsRow) {
  std::vector<float> row(37, 1.0f);
  row[20] = std::nanf("");
  SelectSoftmax(GetParam())({.rows = 1, .columns = 37, .in = row.data(), .out = row.data()});
  for (float value : row) EXPECT_TRUE(std::isnan(value));
}

INSTANTIATE_TEST_SUITE_P(Isa, SoftmaxKernels, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
