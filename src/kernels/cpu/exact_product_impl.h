// The exact product over a register type with kWidth doubles; instruction-set files include it.
// All sums of a tile stay in registers: kRows × kVectors of them.
#pragma once

#include "kernels/cpu/exact_product.h"

namespace vernier {
namespace {

template <class Register, int kRows, int kVectors, bool kFused>
void MultiplyExactly(const ExactTile& tile) noexcept {
  constexpr int64_t kColumns = kVectors * Register::kWidth;
  Register sums[kRows][kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) sums[i][j] = Register::Zero();
  }
  const double* a = tile.a;
  const double* w = tile.w;
  for (int64_t k = 0; k < tile.k; ++k, a += kRows, w += kColumns) {
    Register columns[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) columns[j] = Register::Load(w + j * Register::kWidth);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Register factor = Register::Broadcast(a[i]);
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        sums[i][j] = kFused ? Register::MultiplyAdd(factor, columns[j], sums[i][j])
                            : Register::MultiplyThenAdd(factor, columns[j], sums[i][j]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      sums[i][j].Store(tile.sums + i * kColumns + j * Register::kWidth);
    }
  }
}

}  // namespace
}  // namespace vernier
