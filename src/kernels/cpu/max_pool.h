// The largest of each window of a map whose pixels are rows of its channels; what lies beyond the
// map is never the largest, and a NaN is, so that it is seen. Pure, noexcept, no threads.
// Bound: bytes, the map read once (windows overlap in cache).
#pragma once

#include <cstdint>

#include "kernels/cpu/elementwise.h"

namespace vernier {

/// One line of the pooled map of one picture.
struct MaxPoolArgs {
  ConstElementRows in;      // all of the picture, `height` lines of `width` pixels
  int64_t line_stride = 0;  // elements from line to line
  int64_t height = 0, width = 0, channels = 0;
  int64_t kernel = 1, stride = 1, padding = 0;
  int64_t row = 0;  // of the pooled map
  ElementRows out;  // the line, of the same element
  int64_t out_width = 0;
};

using MaxPoolKernel = void (*)(const MaxPoolArgs&) noexcept;

/// The fastest version within `isa`.
MaxPoolKernel SelectMaxPool(Isa isa);

namespace scalar {
void MaxPool(const MaxPoolArgs&) noexcept;
}
namespace avx2 {
void MaxPool(const MaxPoolArgs&) noexcept;
}
namespace avx512 {
void MaxPool(const MaxPoolArgs&) noexcept;
}
namespace neon {
void MaxPool(const MaxPoolArgs&) noexcept;
}

}  // namespace vernier
