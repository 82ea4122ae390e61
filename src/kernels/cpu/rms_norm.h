// Root-mean-square normalisation of fp32 rows: x / sqrt(mean(x^2) + eps) * gamma. Pure, noexcept,
// no threads; a row's result depends on that row alone. Bound: bytes (a row is read once from
// memory and once from the first-level cache).
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

enum class Isa;

struct RmsNormArgs {
  int64_t rows = 0;
  int64_t columns = 0;
  const float* in = nullptr;
  int64_t in_stride = 0;  // elements from row to row
  const float* gamma = nullptr;
  double eps = 0.0;
  void* out = nullptr;  // may be `in` where it is fp32
  Element out_element = Element::kF32;
  int64_t out_stride = 0;
};

using RmsNormKernel = void (*)(const RmsNormArgs&) noexcept;

/// The fastest version within `isa`.
RmsNormKernel SelectRmsNorm(Isa isa);

namespace scalar {
void RmsNorm(const RmsNormArgs&) noexcept;
}
namespace avx2 {
void RmsNorm(const RmsNormArgs&) noexcept;
}
namespace avx512 {
void RmsNorm(const RmsNormArgs&) noexcept;
}
namespace neon {
void RmsNorm(const RmsNormArgs&) noexcept;
}

}  // namespace vernier
