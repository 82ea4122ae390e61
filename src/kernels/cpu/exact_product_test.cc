#include "kernels/cpu/exact_product.h"

#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

std::vector<double> Normal(int64_t count, uint32_t seed, bool from_f32) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<size_t>(count));
  for (double& v : values) {
    v = normal(random);
    if (from_f32) v = static_cast<float>(v);
  }
  return values;
}

class ExactProducts : public EachIsa {};

TEST_P(ExactProducts, GiveTheBitsOfTheLoopThatAddsInOrder) {
  const ExactProduct& product = SelectExactProduct(GetParam());
  ASSERT_LE(product.rows, kExactTileRows);
  ASSERT_LE(product.columns, kExactTileColumns);
  for (int64_t k : {0, 1, 2, 7, 64, 769}) {
    for (bool from_f32 : {true, false}) {
      const auto a = Normal(k * product.rows, 1, from_f32);
      const auto w = Normal(k * product.columns, 2, from_f32);
      std::vector<double> sums(static_cast<size_t>(product.rows * product.columns), -7.0);
      (from_f32 ? product.multiply_f32 : product.multiply_f64)(
          {.k = k, .a = a.data(), .w = w.data(), .sums = sums.data()});
      for (int64_t i = 0; i < product.rows; ++i) {
        for (int64_t j = 0; j < product.columns; ++j) {
          double expected = 0;
          for (int64_t step = 0; step < k; ++step) {
            expected += a[static_cast<size_t>(step * product.rows + i)] *
                        w[static_cast<size_t>(step * product.columns + j)];
          }
          ASSERT_EQ(sums[static_cast<size_t>(i * product.columns + j)], expected)
              << "k " << k << " row " << i << " column " << j;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, ExactProducts, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
