// Which windows of a convolution are copied: the map's extents, the window and its steps, and a run
// of the result's pixels. For im2row.h and pixel_windows.h.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

struct WindowRun {
  Element element = Element::kF32;
  int64_t channels = 0, height = 0, width = 0;
  int64_t kernel_height = 0, kernel_width = 0;
  int64_t stride = 1, padding = 0;
  int64_t out_height = 0, out_width = 0;
  int64_t first_pixel = 0, pixels = 0;  // of the result
};

}  // namespace vernier
