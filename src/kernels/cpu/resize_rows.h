// One row of a resized map whose pixels are rows of its channels, with another map of the result's
// size added if there is one. Pure, noexcept, no threads.
// Bound: bytes, those of the result and of what is added.
#pragma once

#include <cstdint>

#include "kernels/cpu/elementwise.h"

namespace vernier {

/// Two neighbours of a resampled position, and the share of the second.
struct ResizeTap {
  int64_t low = 0;
  int64_t high = 0;
  float share = 0.0f;
};

/// out[x] = in[x'] (+ addend[x]), x' being a pixel or between four.
struct ResizeRowArgs {
  int64_t channels = 0;
  int64_t out_width = 0;
  const ResizeTap* columns = nullptr;  // [out_width]
  float lower_share = 0.0f;
  bool blend = false;      // else: the pixel `low` of the upper row
  ConstElementRows upper;  // first pixels of two rows of the map
  ConstElementRows lower;  // of the same element and stride; not read without `blend`
  ConstElementRows addend = {};
  ElementRows out;  // may be `addend` where the element is the same
};

using ResizeRowKernel = void (*)(const ResizeRowArgs&) noexcept;

/// The fastest version within `isa`.
ResizeRowKernel SelectResizeRow(Isa isa);

namespace scalar {
void ResizeRow(const ResizeRowArgs&) noexcept;
}
namespace avx2 {
void ResizeRow(const ResizeRowArgs&) noexcept;
}
namespace avx512 {
void ResizeRow(const ResizeRowArgs&) noexcept;
}
namespace neon {
void ResizeRow(const ResizeRowArgs&) noexcept;
}

}  // namespace vernier
