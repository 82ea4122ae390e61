// The reference matrix product: y[m, n] = sum over k of a[m, k] * w[n, k] in fp64, rounded once.
#pragma once

#include <atomic>
#include <cstdint>

namespace vernier {

enum class Isa;

struct RefGemm {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  const float* a = nullptr;  // [m, k]
  int64_t a_stride = 0;
  const float* w = nullptr;  // element (n, k) at w[n * w_row + k * w_column]
  int64_t w_row = 0;
  int64_t w_column = 1;
  const float* bias = nullptr;  // [n], added in fp64; null: none
  float* y = nullptr;           // [m, n]
  int64_t y_stride = 0;
  const std::atomic<bool>* cancel = nullptr;  // set: BlockedGemm leaves out the columns to come
};

/// The definition: one loop per index.
void NaiveGemm(const RefGemm& gemm);

/// Bit-equal to NaiveGemm: every sum adds the same exact products in the same order, only several
/// sums at a time (kernels/cpu/exact_product.h).
void BlockedGemm(const RefGemm& gemm, int threads);
void BlockedGemm(const RefGemm& gemm, int threads, Isa isa);

}  // namespace vernier
