// The windows of a convolution as rows of a matrix, one row for each pixel of the result: channel,
// then row, then column, as the weights lie; zeros beyond the map. Bound by its stores. Portable: a
// row of a window is a short copy whatever the instruction set. Pure, no threads, no allocation.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

struct Im2RowArgs {
  const void* map = nullptr;  // the first channel's first row; channels lie one after the other
  Element element = Element::kF32;
  int64_t channels = 0, height = 0, width = 0;
  int64_t row_stride = 0;  // elements from row to row of the map
  int64_t kernel_height = 0, kernel_width = 0;
  int64_t stride = 1, padding = 0;
  int64_t out_width = 0;  // pixels in a row of the result
  int64_t first_pixel = 0, pixels = 0;
  void* rows = nullptr;  // [pixels, channels * kernel_height * kernel_width], dense
};

void Im2Row(const Im2RowArgs& args) noexcept;

}  // namespace vernier
