// A map operand as the kernels see it, whatever its layout: planes of lines of pixels, each pixel a
// row of channels. Channels-last, a picture is one plane with all channels; row-major, each channel
// is a plane of its own, whose pixels are single elements. For maps of rank 4.
#pragma once

#include "backends/cpu/nodes.h"
#include "backends/tensor_arg.h"
#include "kernels/cpu/elementwise.h"

namespace vernier {

struct MapView {
  char* data = nullptr;
  DType dtype = DType::kF32;
  int64_t planes = 0, height = 0, width = 0, channels = 0;
  int64_t pixel_stride = 0, line_stride = 0;  // elements

  explicit MapView(const TensorArg& x)
      : data(static_cast<char*>(x.data)),
        dtype(x.dtype),
        planes(x.channels_last() ? x.shape[0] : x.shape[0] * x.shape[1]),
        height(x.shape[2]),
        width(x.shape[3]),
        channels(x.channels_last() ? x.shape[1] : 1),
        pixel_stride(x.channels_last() ? x.row_stride : 1),
        line_stride(x.channels_last() ? x.row_stride * width : x.row_stride) {}

  int64_t pixels() const { return height * width; }
  /// Whether a plane's pixels follow each other as if they were one line.
  bool unbroken() const { return line_stride == width * pixel_stride; }

  ElementRows From(int64_t plane, int64_t line, int64_t column = 0) const {
    const int64_t at = (plane * height + line) * line_stride + column * pixel_stride;
    return {data + at * static_cast<int64_t>(ByteSize(dtype)), ElementOf(dtype), pixel_stride};
  }
  ConstElementRows ConstFrom(int64_t plane, int64_t line, int64_t column = 0) const {
    const ElementRows rows = From(plane, line, column);
    return {rows.data, rows.element, rows.stride};
  }
};

}  // namespace vernier
