// Layer normalisation of fp32 rows: (x - mean) / sqrt(variance + eps) * gamma + beta, with the
// biased variance. Pure, noexcept, no threads; a row's result depends on that row alone. The
// statistics are corrected two-pass sums, so that a constant row gives beta even with eps = 1e-12.
// Bound: bytes (the row is read once from memory and twice from the first-level cache); 33 GB/s on
// one Zen 4 core with AVX-512, a quarter of what a plain sum of rows moves there (processor time
// beside other work, rows of 1024).
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

enum class Isa;

struct LayerNormArgs {
  int64_t rows = 0;
  int64_t columns = 0;
  const float* in = nullptr;
  int64_t in_stride = 0;  // elements from row to row
  const float* gamma = nullptr;
  const float* beta = nullptr;  // null: none
  double eps = 0.0;
  void* out = nullptr;  // may be `in` where it is fp32
  Element out_element = Element::kF32;
  int64_t out_stride = 0;
};

using LayerNormKernel = void (*)(const LayerNormArgs&) noexcept;

/// The fastest version within `isa`.
LayerNormKernel SelectLayerNorm(Isa isa);

namespace scalar {
void LayerNorm(const LayerNormArgs&) noexcept;
}
namespace avx2 {
void LayerNorm(const LayerNormArgs&) noexcept;
}
namespace avx512 {
void LayerNorm(const LayerNormArgs&) noexcept;
}
namespace neon {
void LayerNorm(const LayerNormArgs&) noexcept;
}

}  // namespace vernier
