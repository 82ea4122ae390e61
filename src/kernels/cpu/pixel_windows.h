// The windows of a convolution over a channels-last map as rows of a matrix, one for each pixel of
// the result: row, then column, then channel; zeros beyond the map. Bound by its stores, which are
// long runs whatever the instruction set: portable. Pure, no threads, no allocation.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

struct PixelWindowsArgs {
  const void* map = nullptr;  // first pixel of the first picture
  Element element = Element::kF32;
  int64_t channels = 0, height = 0, width = 0;
  int64_t pixel_stride = 0;  // elements from pixel to pixel
  int64_t kernel_height = 0, kernel_width = 0;
  int64_t stride = 1, padding = 0;
  int64_t out_height = 0, out_width = 0;
  int64_t first_pixel = 0, pixels = 0;  // of the result, pictures one after the other
  void* rows = nullptr;                 // [pixels, kernel_height * kernel_width * channels], dense
};

void PixelWindows(const PixelWindowsArgs& args) noexcept;

}  // namespace vernier
