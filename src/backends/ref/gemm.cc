#include "backends/ref/gemm.h"

#include <algorithm>
#include <vector>

#include "core/parallel.h"

namespace vernier {
namespace {

constexpr int64_t kRows = 4;     // rows of a that share one pass over a weight panel
constexpr int64_t kColumns = 8;  // weight columns of a panel

// panel[k][kColumns] = w[column + j][k] in fp64, zero beyond n.
void PackPanel(const RefGemm& gemm, int64_t column, std::vector<double>& panel) {
  const int64_t columns = std::min(kColumns, gemm.n - column);
  std::fill(panel.begin(), panel.end(), 0.0);
  for (int64_t j = 0; j < columns; ++j) {
    const float* w = gemm.w + (column + j) * gemm.w_row;
    for (int64_t k = 0; k < gemm.k; ++k) {
      panel[static_cast<size_t>(k * kColumns + j)] = w[k * gemm.w_column];
    }
  }
}

template <int64_t Rows>
void Tile(const RefGemm& gemm, int64_t row, int64_t column, const double* panel) {
  double sums[Rows][kColumns] = {};
  for (int64_t k = 0; k < gemm.k; ++k) {
    const double* w = panel + k * kColumns;
    for (int64_t i = 0; i < Rows; ++i) {
      const double a = gemm.a[(row + i) * gemm.a_stride + k];
      for (int64_t j = 0; j < kColumns; ++j) sums[i][j] += a * w[j];
    }
  }
  const int64_t columns = std::min(kColumns, gemm.n - column);
  for (int64_t i = 0; i < Rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      const double bias = gemm.bias != nullptr ? gemm.bias[column + j] : 0.0;
      gemm.y[(row + i) * gemm.y_stride + column + j] = static_cast<float>(sums[i][j] + bias);
    }
  }
}

}  // namespace

void NaiveGemm(const RefGemm& gemm) {
  for (int64_t m = 0; m < gemm.m; ++m) {
    for (int64_t n = 0; n < gemm.n; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < gemm.k; ++k) {
        sum += static_cast<double>(gemm.a[m * gemm.a_stride + k]) *
               gemm.w[n * gemm.w_row + k * gemm.w_column];
      }
      if (gemm.bias != nullptr) sum += gemm.bias[n];
      gemm.y[m * gemm.y_stride + n] = static_cast<float>(sum);
    }
  }
}

void BlockedGemm(const RefGemm& gemm, int threads) {
  ParallelFor(threads, gemm.n, kColumns, [&](int64_t begin, int64_t end) {
    std::vector<double> panel(static_cast<size_t>(gemm.k * kColumns));
    for (int64_t column = begin; column < end; column += kColumns) {
      PackPanel(gemm, column, panel);
      int64_t row = 0;
      for (; row + kRows <= gemm.m; row += kRows) Tile<kRows>(gemm, row, column, panel.data());
      for (; row < gemm.m; ++row) Tile<1>(gemm, row, column, panel.data());
    }
  });
}

}  // namespace vernier
