// The filters of resizing as tables: which source samples an output sample is made of, and how
// much of each. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/resize.h"

namespace vernier {

/// Taps of one axis. Output i is the sum of taps(i)[j] · source[first[i] + j].
template <typename Weight>
struct TapTable {
  std::vector<int64_t> first;
  std::vector<int64_t> begin;  // taps of output i: weights[begin[i] .. begin[i + 1])
  std::vector<Weight> weights;

  std::span<const Weight> taps(int64_t output) const {
    const auto from = static_cast<size_t>(begin[static_cast<size_t>(output)]);
    const auto to = static_cast<size_t>(begin[static_cast<size_t>(output) + 1]);
    return std::span(weights).subspan(from, to - from);
  }
};

/// Antialiased taps in double precision from `from` to `to` samples; any filter but nearest.
TapTable<double> FilterTaps(ResizeFilter filter, int64_t from, int64_t to);

/// Taps as integers of `bits` fractional bits: the antialiased ones, or without antialias those of
/// torchvision's bilinear and bicubic.
struct FixedTaps {
  TapTable<int32_t> table;
  int bits = 0;
};
FixedTaps FixedFilterTaps(const ResizeOptions& options, int64_t from, int64_t to);

/// Source index of each output sample. torchvision multiplies in single precision; Pillow steps
/// along the source by repeated addition, except for 16-bit gray, where it multiplies.
std::vector<int64_t> NearestIndices(ResizeFlavour flavour, ImageMode mode, int64_t from,
                                    int64_t to);

}  // namespace vernier
