// Max pooling in plain C++: the contract of the other versions.
#include "kernels/cpu/max_pool.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/element_rows.h"

namespace vernier {
namespace {

float LargestInWindow(const MaxPoolArgs& args, int64_t left, int64_t channel) {
  const int64_t top = args.row * args.stride - args.padding;
  float most = -INFINITY;
  for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + args.kernel, args.height); ++y) {
    const int64_t end = std::min(left + args.kernel, args.width);
    for (int64_t x = std::max<int64_t>(left, 0); x < end; ++x) {
      const float value = GetElement(args.in, x, y * args.line_stride + channel);
      if (value > most || std::isnan(value)) most = value;
    }
  }
  return most;
}

}  // namespace

namespace scalar {

void MaxPool(const MaxPoolArgs& args) noexcept {
  for (int64_t column = 0; column < args.out_width; ++column) {
    for (int64_t c = 0; c < args.channels; ++c) {
      const int64_t left = column * args.stride - args.padding;
      PutElement(LargestInWindow(args, left, c), args.out, column, c);
    }
  }
}

}  // namespace scalar

}  // namespace vernier
