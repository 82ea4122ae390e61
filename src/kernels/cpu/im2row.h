// The windows of a convolution as rows of a matrix, one row for each pixel of the result: channel,
// then row, then column, as the weights lie; zeros beyond the map. Bound by its stores. Portable: a
// row of a window is a short copy whatever the instruction set. Pure, no threads, no allocation.
#pragma once

#include <cstdint>

#include "kernels/cpu/window_run.h"

namespace vernier {

struct Im2RowArgs {
  WindowRun windows;
  const void* map = nullptr;  // the first channel's first row; channels lie one after the other
  int64_t row_stride = 0;     // elements from row to row of the map
  void* rows = nullptr;       // [pixels, channels * kernel_height * kernel_width], dense
};

void Im2Row(const Im2RowArgs& args) noexcept;

}  // namespace vernier
