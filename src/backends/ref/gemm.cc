#include "backends/ref/gemm.h"

#include <algorithm>
#include <vector>

#include "core/cancel.h"
#include "core/cpu_features.h"
#include "core/parallel.h"
#include "kernels/cpu/exact_product.h"

namespace vernier {
namespace {

// Rows whose packed form is made at a time: a panel of weights, packed anew for each such block,
// then serves enough tiles for packing not to count, and the rows stay in the last cache.
constexpr int64_t kBlockRows = 256;

// Steps of k that are packed at a time: what is written then stays in the first cache (12 KB).
constexpr int64_t kPackSteps = 64;

class Blocked {
 public:
  Blocked(const RefGemm& gemm, const ExactProduct& product, int threads)
      : gemm_(gemm), product_(product), threads_(threads) {}

  void Run() {
    rows_.resize(static_cast<size_t>(std::min(gemm_.m, kBlockRows) + product_.rows) *
                 static_cast<size_t>(gemm_.k));
    for (int64_t row = 0; row < gemm_.m; row += kBlockRows) {
      RunBlock(row, std::min(gemm_.m, row + kBlockRows));
    }
  }

 private:
  void RunBlock(int64_t begin, int64_t end) {
    ParallelFor(threads_, end - begin, product_.rows, [&](int64_t from, int64_t to) {
      for (int64_t row = from; row < to; row += product_.rows) PackRows(begin, row, end);
    });
    ParallelFor(threads_, gemm_.n, product_.columns, [&](int64_t from, int64_t to) {
      std::vector<double> panel(static_cast<size_t>(gemm_.k * product_.columns));
      for (int64_t column = from; column < to; column += product_.columns) {
        if (IsSet(gemm_.cancel)) return;
        PackPanel(column, panel);
        for (int64_t row = begin; row < end; row += product_.rows) {
          double sums[kExactTileRows * kExactTileColumns];
          product_.multiply_f32({.k = gemm_.k,
                                 .a = rows_.data() + (row - begin) * gemm_.k,
                                 .w = panel.data(),
                                 .sums = sums});
          Finish(row, std::min(end, row + product_.rows), column, sums);
        }
      }
    });
  }

  // One tile [k][rows], zero beyond `end`.
  void PackRows(int64_t begin, int64_t offset, int64_t end) {
    double* to = rows_.data() + offset * gemm_.k;
    for (int64_t i = 0; i < product_.rows; ++i) {
      const int64_t row = begin + offset + i;
      const float* from = gemm_.a + row * gemm_.a_stride;
      for (int64_t k = 0; k < gemm_.k; ++k) to[k * product_.rows + i] = row < end ? from[k] : 0.0;
    }
  }

  // panel[k][columns], zero beyond n.
  void PackPanel(int64_t column, std::vector<double>& panel) const {
    for (int64_t begin = 0; begin < gemm_.k; begin += kPackSteps) {
      const int64_t end = std::min(gemm_.k, begin + kPackSteps);
      for (int64_t j = 0; j < product_.columns; ++j) {
        const float* from = gemm_.w + (column + j) * gemm_.w_row;
        for (int64_t k = begin; k < end; ++k) {
          panel[static_cast<size_t>(k * product_.columns + j)] =
              column + j < gemm_.n ? from[k * gemm_.w_column] : 0.0;
        }
      }
    }
  }

  void Finish(int64_t row, int64_t end, int64_t column, const double* sums) const {
    const int64_t columns = std::min(product_.columns, gemm_.n - column);
    for (; row < end; ++row, sums += product_.columns) {
      float* y = gemm_.y + row * gemm_.y_stride + column;
      for (int64_t j = 0; j < columns; ++j) {
        const double bias = gemm_.bias != nullptr ? gemm_.bias[column + j] : 0.0;
        y[j] = static_cast<float>(sums[j] + bias);
      }
    }
  }

  const RefGemm& gemm_;
  const ExactProduct& product_;
  const int threads_;
  std::vector<double> rows_;  // tiles of the block's rows
};

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

void BlockedGemm(const RefGemm& gemm, int threads) { BlockedGemm(gemm, threads, Cpu().best()); }

void BlockedGemm(const RefGemm& gemm, int threads, Isa isa) {
  Blocked(gemm, SelectExactProduct(isa), threads).Run();
}

}  // namespace vernier
