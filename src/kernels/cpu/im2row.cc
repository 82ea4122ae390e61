#include "kernels/cpu/im2row.h"

namespace vernier {
namespace {

template <typename T>
void Copy(const Im2RowArgs& a) {
  const auto* map = static_cast<const T*>(a.map);
  auto* to = static_cast<T*>(a.rows);
  for (int64_t i = 0; i < a.pixels; ++i) {
    const int64_t pixel = a.first_pixel + i;
    const int64_t top = pixel / a.out_width * a.stride - a.padding;
    const int64_t left = pixel % a.out_width * a.stride - a.padding;
    for (int64_t c = 0; c < a.channels; ++c) {
      const T* plane = map + c * a.height * a.row_stride;
      for (int64_t row = top; row < top + a.kernel_height; ++row) {
        const bool inside = row >= 0 && row < a.height;
        for (int64_t column = left; column < left + a.kernel_width; ++column) {
          const bool there = inside && column >= 0 && column < a.width;
          *to++ = there ? plane[row * a.row_stride + column] : T{};
        }
      }
    }
  }
}

}  // namespace

void Im2Row(const Im2RowArgs& args) noexcept {
  if (args.element == Element::kF32) {
    Copy<float>(args);
  } else {
    Copy<uint16_t>(args);
  }
}

}  // namespace vernier
