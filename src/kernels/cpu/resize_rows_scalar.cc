// Resized maps in plain C++: the contract of the other versions.
#include "kernels/cpu/element_rows.h"
#include "kernels/cpu/resize_rows.h"

namespace vernier {
namespace {

float Resampled(const ResizeRowArgs& args, const ResizeTap& tap, int64_t channel) {
  if (!args.blend) return GetElement(args.upper, tap.low, channel);
  const auto across = [&](const ConstElementRows& row) {
    return GetElement(row, tap.low, channel) * (1.0f - tap.share) +
           GetElement(row, tap.high, channel) * tap.share;
  };
  return across(args.upper) * (1.0f - args.lower_share) + across(args.lower) * args.lower_share;
}

}  // namespace

namespace scalar {

void ResizeRow(const ResizeRowArgs& args) noexcept {
  for (int64_t x = 0; x < args.out_width; ++x) {
    for (int64_t c = 0; c < args.channels; ++c) {
      float value = Resampled(args, args.columns[x], c);
      if (args.addend.data != nullptr) value += GetElement(args.addend, x, c);
      PutElement(value, args.out, x, c);
    }
  }
}

}  // namespace scalar

}  // namespace vernier
