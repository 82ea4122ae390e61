// Softmax of fp32 rows on its own (attention has its own, in parts). Pure, noexcept, no threads; a
// row's result depends on that row alone. A row of minus infinities becomes zeros. Bound: bytes for
// long rows, else the exponential (18 instructions per vector); 27 GB/s on one Zen 4 core with
// AVX-512, a fifth of what a plain sum of rows moves there.
#pragma once

#include <cstdint>

namespace vernier {

enum class Isa;

struct SoftmaxArgs {
  int64_t rows = 0;
  int64_t columns = 0;
  const float* in = nullptr;
  int64_t in_stride = 0;  // elements from row to row
  float* out = nullptr;   // may be `in`
  int64_t out_stride = 0;
};

using SoftmaxKernel = void (*)(const SoftmaxArgs&) noexcept;

/// The fastest version within `isa`.
SoftmaxKernel SelectSoftmax(Isa isa);

namespace scalar {
void Softmax(const SoftmaxArgs&) noexcept;
}
namespace avx2 {
void Softmax(const SoftmaxArgs&) noexcept;
}
namespace avx512 {
void Softmax(const SoftmaxArgs&) noexcept;
}
namespace neon {
void Softmax(const SoftmaxArgs&) noexcept;
}

}  // namespace vernier
