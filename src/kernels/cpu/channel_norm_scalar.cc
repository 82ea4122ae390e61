// Normalisation by channel in plain C++: the contract of the other versions.
#include "kernels/cpu/channel_norm.h"

#include "kernels/cpu/element_rows.h"

namespace vernier {
namespace {

void Moments(const ChannelMomentsArgs& args) noexcept {
  for (int64_t c = 0; c < args.channels; ++c) {
    double total = 0.0;
    for (int64_t row = 0; row < args.pixels; ++row) total += GetElement(args.in, row, c);
    const auto about = static_cast<float>(total / static_cast<double>(args.pixels));
    double sum = 0.0, square = 0.0;
    for (int64_t row = 0; row < args.pixels; ++row) {
      const double d = static_cast<double>(GetElement(args.in, row, c)) - about;
      sum += d;
      square += d * d;
    }
    args.about[c] = about;
    args.sums[c] = static_cast<float>(sum);
    args.squares[c] = static_cast<float>(square);
  }
}

void Scale(const ScaleChannelsArgs& args) noexcept {
  for (int64_t row = 0; row < args.pixels; ++row) {
    for (int64_t c = 0; c < args.channels; ++c) {
      float y = (GetElement(args.in, row, c) - args.centre[c]) * args.scale[c] + args.shift[c];
      if (args.relu && y < 0.0f) y = 0.0f;
      PutElement(y, args.out, row, c);
    }
  }
}

}  // namespace

namespace scalar {
const ChannelNormKernels kChannelNorm = {Moments, Scale};
}  // namespace scalar

}  // namespace vernier
