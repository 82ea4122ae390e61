// The contract of the exact product: one loop per index.
#include "kernels/cpu/exact_product.h"

namespace vernier::scalar {
namespace {

constexpr int64_t kRows = 4;
constexpr int64_t kColumns = 8;

void Multiply(const ExactTile& tile) noexcept {
  double sums[kRows][kColumns] = {};
  for (int64_t k = 0; k < tile.k; ++k) {
    for (int64_t i = 0; i < kRows; ++i) {
      const double a = tile.a[k * kRows + i];
      for (int64_t j = 0; j < kColumns; ++j) sums[i][j] += a * tile.w[k * kColumns + j];
    }
  }
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < kColumns; ++j) tile.sums[i * kColumns + j] = sums[i][j];
  }
}

}  // namespace

const ExactProduct kExactProduct = {kRows, kColumns, Multiply, Multiply};

}  // namespace vernier::scalar
