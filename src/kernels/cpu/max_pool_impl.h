// Max pooling over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/element_rows_impl.h"
#include "kernels/cpu/max_pool.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

/// The larger one, NaN where either is: instruction sets differ in what their maximum makes of NaN,
/// but not of the second operand, nor of a sum.
template <class V>
inline V LargerOrNaN(V most, V x) {
  const V infinity = V::Set(__builtin_inff());
  return IfLess(most, infinity, Max(most, x), most + Max(V::Set(0.0f), x));
}

// Places along one axis that a window has within the map.
struct Within {
  int64_t begin, end;

  Within(int64_t first, int64_t kernel, int64_t size)
      : begin(first < 0 ? 0 : first), end(first + kernel < size ? first + kernel : size) {}
};

template <class V, class T>
inline void MaxPoolPixel(const MaxPoolArgs& args, Within rows, Within columns, T* out) {
  for (int64_t c = 0; c < args.channels; c += V::kWidth) {
    const int64_t left = args.channels - c;
    V most = V::Set(-__builtin_inff());
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      const T* in = RowOf<T>(args.in, columns.begin) + y * args.line_stride + c;
      for (int64_t x = columns.begin; x < columns.end; ++x, in += args.in.stride) {
        most = LargerOrNaN(most, LoadUpTo<V>(in, left));
      }
    }
    StoreUpTo(most, out + c, left);
  }
}

template <class V>
inline void MaxPoolLine(const MaxPoolArgs& args) noexcept {
  WithElement(args.in.element, [&]<class T>(const T*) {
    const Within rows(args.row * args.stride - args.padding, args.kernel, args.height);
    for (int64_t column = 0; column < args.out_width; ++column) {
      const Within columns(column * args.stride - args.padding, args.kernel, args.width);
      MaxPoolPixel<V, T>(args, rows, columns, RowOf<T>(args.out, column));
    }
  });
}

}  // namespace
}  // namespace vernier
