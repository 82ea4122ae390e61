// One operand of a running kernel: a pointer with its extents. Rows lie `row_stride` elements
// apart, so that a column slice of a fused result is an operand without a copy; a row's columns are
// contiguous. Row-major, a row runs along the last axis; of a channels-last map [n, c, h, w], along
// the channels of a pixel. What goes by rows and columns alone so serves both layouts. Borrowed
// memory, valid for one call.
#pragma once

#include "graph/layout.h"
#include "vernier/tensor.h"

namespace vernier {

struct TensorArg {
  void* data = nullptr;  // null for an absent optional operand
  DType dtype = DType::kF32;
  Shape shape;
  int64_t row_stride = 0;
  Layout layout = Layout::kRowMajor;

  /// Dense.
  static TensorArg Of(const TensorView& view, Layout layout = Layout::kRowMajor) {
    return {const_cast<void*>(view.data), view.dtype, view.shape, Columns(view.shape, layout),
            layout};
  }

  bool exists() const { return data != nullptr; }
  bool channels_last() const { return layout == Layout::kChannelsLast; }
  int64_t columns() const { return Columns(shape, layout); }
  int64_t rows() const { return columns() == 0 ? 0 : shape.elements() / columns(); }
  bool dense() const { return row_stride == columns() || rows() <= 1; }
  template <typename T>
  T* row(int64_t index) const {
    return static_cast<T*>(data) + index * row_stride;
  }

 private:
  static int64_t Columns(const Shape& shape, Layout layout) {
    if (layout == Layout::kChannelsLast) return shape[1];
    return shape.rank() == 0 ? 1 : shape[-1];
  }
};

}  // namespace vernier
