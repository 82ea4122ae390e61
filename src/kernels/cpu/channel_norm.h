// Normalisation of maps by channel: the moments of each channel over some pixels, and the maps
// scaled and shifted by them. A map's pixels are rows of its channels. Pure, noexcept, no threads;
// GroupNorm and BatchNorm are made of both, so that moments of parts can be joined in whatever way
// does not depend on threads.
// Bound: bytes. Both read the map once (moments read each piece twice, from cache).
#pragma once

#include <cstdint>

#include "kernels/cpu/elementwise.h"

namespace vernier {

/// What joins to a channel's mean and variance: the sums of (x - about) and of its square, `about`
/// being near the mean of these pixels, so that nothing cancels.
struct ChannelMomentsArgs {
  int64_t pixels = 0;  // 1 to kMomentPixels
  int64_t channels = 0;
  ConstElementRows in;
  float* about = nullptr;    // [channels]
  float* sums = nullptr;     // [channels]
  float* squares = nullptr;  // [channels]
};

/// Sums of so many f32 values lose little, and their pixels stay in the first levels of cache.
inline constexpr int64_t kMomentPixels = 128;

/// out = (in - centre) * scale + shift, and 0 where that is negative if `relu`; NaN stays NaN.
struct ScaleChannelsArgs {
  int64_t pixels = 0;
  int64_t channels = 0;
  ConstElementRows in;
  const float* centre = nullptr;  // [channels]
  const float* scale = nullptr;   // [channels]
  const float* shift = nullptr;   // [channels]
  bool relu = false;
  ElementRows out;  // may be `in`
};

struct ChannelNormKernels {
  void (*moments)(const ChannelMomentsArgs&) noexcept;
  void (*scale)(const ScaleChannelsArgs&) noexcept;
};

/// The fastest version within `isa`.
const ChannelNormKernels& SelectChannelNorm(Isa isa);

namespace scalar {
extern const ChannelNormKernels kChannelNorm;
}
namespace avx2 {
extern const ChannelNormKernels kChannelNorm;
}
namespace avx512 {
extern const ChannelNormKernels kChannelNorm;
}
namespace neon {
extern const ChannelNormKernels kChannelNorm;
}

}  // namespace vernier
