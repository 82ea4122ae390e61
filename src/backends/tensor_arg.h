// One operand of a running kernel: a pointer with its extents. The last axis is contiguous; rows
// (all other axes together) lie `row_stride` elements apart, so that a column slice of a fused
// result is an operand without a copy. Borrowed memory, valid for one call.
#pragma once

#include "vernier/tensor.h"

namespace vernier {

struct TensorArg {
  void* data = nullptr;  // null for an absent optional operand
  DType dtype = DType::kF32;
  Shape shape;
  int64_t row_stride = 0;

  static TensorArg Of(const TensorView& view) {
    return {const_cast<void*>(view.data), view.dtype, view.shape, Columns(view.shape)};
  }

  bool exists() const { return data != nullptr; }
  int64_t columns() const { return Columns(shape); }
  int64_t rows() const { return columns() == 0 ? 0 : shape.elements() / columns(); }
  bool dense() const { return row_stride == columns() || rows() <= 1; }
  template <typename T>
  T* row(int64_t index) const {
    return static_cast<T*>(data) + index * row_stride;
  }

 private:
  static int64_t Columns(const Shape& shape) { return shape.rank() == 0 ? 1 : shape[-1]; }
};

}  // namespace vernier
