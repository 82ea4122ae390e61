// Elementwise work on strided rows, as stand-alone steps (matrix multiplications fuse most of it
// into their last step): sums of two inputs, products with a row of factors, activations and casts,
// and the mean of rows. Pure, noexcept, no threads; out may equal an input of the same element
// type. Bound: bytes, except for the activations (20 to 40 instructions per vector). On one Zen 4
// core with AVX-512 a sum of fp32 rows moves 128 GB/s (third-level cache), GELU (erf) 18 GB/s.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"
#include "kernels/cpu/gemm_abi.h"

namespace vernier {

enum class Isa;

/// [rows, columns] with `stride` elements from row to row.
struct ElementRows {
  void* data = nullptr;
  Element element = Element::kF32;
  int64_t stride = 0;
};

struct ConstElementRows {
  const void* data = nullptr;
  Element element = Element::kF32;
  int64_t stride = 0;
};

/// out[r, c] = a[r, c] + b[r mod b_period, c]: with a period below `rows`, b is broadcast, as
/// position embeddings over a batch (period = tokens) or a bias (period = 1).
struct AddArgs {
  int64_t rows = 0;
  int64_t columns = 0;
  ConstElementRows a = {};
  ConstElementRows b = {};
  int64_t b_period = 1;  // at least 1
  ElementRows out = {};
};

/// out[r, c] = in[r, c] * factors[c].
struct ScaleColumnsArgs {
  int64_t rows = 0;
  int64_t columns = 0;
  ConstElementRows in = {};
  const float* factors = nullptr;
  ElementRows out = {};
};

/// out[r, c] = activation(in[r, c]); kNone copies or casts.
struct ActivateArgs {
  int64_t rows = 0;
  int64_t columns = 0;
  ConstElementRows in = {};
  Activation activation = Activation::kNone;
  ElementRows out = {};
};

/// out[c] = mean over r of in[r, c].
struct MeanRowsArgs {
  int64_t rows = 0;  // at least 1
  int64_t columns = 0;
  const float* in = nullptr;
  int64_t in_stride = 0;
  float* out = nullptr;
};

struct ElementwiseKernels {
  const char* name;
  void (*add)(const AddArgs&) noexcept;
  void (*scale_columns)(const ScaleColumnsArgs&) noexcept;
  void (*activate)(const ActivateArgs&) noexcept;
  void (*mean_rows)(const MeanRowsArgs&) noexcept;
};

/// The fastest version within `isa`.
const ElementwiseKernels& SelectElementwise(Isa isa);

namespace scalar {
extern const ElementwiseKernels kElementwise;
}
namespace avx2 {
extern const ElementwiseKernels kElementwise;
}
namespace avx512 {
extern const ElementwiseKernels kElementwise;
}
namespace neon {
extern const ElementwiseKernels kElementwise;
}

}  // namespace vernier
