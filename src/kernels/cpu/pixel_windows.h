// The windows of a convolution over a channels-last map as rows of a matrix, one for each pixel of
// the result: row, then column, then channel; zeros beyond the map. Bound by its stores, which are
// long runs whatever the instruction set: portable. Pure, no threads, no allocation.
#pragma once

#include <cstdint>

#include "kernels/cpu/window_run.h"

namespace vernier {

struct PixelWindowsArgs {
  WindowRun windows;          // pixels of several pictures lie one after the other
  const void* map = nullptr;  // first pixel of the first picture
  int64_t pixel_stride = 0;   // elements from pixel to pixel
  void* rows = nullptr;       // [pixels, kernel_height * kernel_width * channels], dense
};

void PixelWindows(const PixelWindowsArgs& args) noexcept;

}  // namespace vernier
