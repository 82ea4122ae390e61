#include "kernels/cpu/im2row.h"

namespace vernier {
namespace {

template <typename T>
class MapWindows {
 public:
  explicit MapWindows(const Im2RowArgs& args)
      : a_(args), w_(args.windows), to_(static_cast<T*>(args.rows)) {}

  void Run() {
    int64_t top = w_.first_pixel / w_.out_width * w_.stride - w_.padding;
    int64_t column = w_.first_pixel % w_.out_width;
    for (int64_t i = 0; i < w_.pixels; ++i) {
      Window(top, column * w_.stride - w_.padding);
      if (++column < w_.out_width) continue;
      column = 0;
      top += w_.stride;
    }
  }

 private:
  void Window(int64_t top, int64_t left) {
    const bool inside = top >= 0 && top + w_.kernel_height <= w_.height && left >= 0 &&
                        left + w_.kernel_width <= w_.width;
    if (!inside) return EdgeWindow(top, left);
    switch (w_.kernel_width) {  // copies of known length need no loop
      case 3:
        return InnerWindow<3>(top, left);
      case 7:
        return InnerWindow<7>(top, left);
      default:
        return EdgeWindow(top, left);
    }
  }

  template <int64_t kWidth>
  void InnerWindow(int64_t top, int64_t left) {
    const T* plane = static_cast<const T*>(a_.map) + top * a_.row_stride + left;
    T* to = to_;
    for (int64_t c = 0; c < w_.channels; ++c, plane += w_.height * a_.row_stride) {
      const T* from = plane;
      for (int64_t row = 0; row < w_.kernel_height; ++row, from += a_.row_stride, to += kWidth) {
        __builtin_memcpy(to, from, kWidth * sizeof(T));
      }
    }
    to_ = to;
  }

  void EdgeWindow(int64_t top, int64_t left) {
    for (int64_t c = 0; c < w_.channels; ++c) {
      const T* plane = static_cast<const T*>(a_.map) + c * w_.height * a_.row_stride;
      for (int64_t row = top; row < top + w_.kernel_height; ++row) {
        const bool inside = row >= 0 && row < w_.height;
        for (int64_t column = left; column < left + w_.kernel_width; ++column) {
          const bool there = inside && column >= 0 && column < w_.width;
          *to_++ = there ? plane[row * a_.row_stride + column] : T{};
        }
      }
    }
  }

  const Im2RowArgs& a_;
  const WindowRun& w_;
  T* to_;
};

}  // namespace

void Im2Row(const Im2RowArgs& args) noexcept {
  if (args.windows.element == Element::kF32) {
    MapWindows<float>(args).Run();
  } else {
    MapWindows<uint16_t>(args).Run();
  }
}

}  // namespace vernier
