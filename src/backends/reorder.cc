#include "backends/reorder.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "core/cpu_features.h"
#include "core/parallel.h"
#include "core/rounding.h"
#include "kernels/cpu/transpose_units.h"

namespace vernier {
namespace {

// A map as pixels by channels: elements between neighbours of each axis. A line's pixels follow one
// another; where the lines do, too, the map is one.
struct MapStrides {
  int64_t picture, channel, line, pixel;
};

bool JoinsLines(const TensorArg& map) {
  return map.channels_last() || map.row_stride == map.shape[3];
}

MapStrides StridesOf(const TensorArg& map) {
  const int64_t channels = map.shape[1], height = map.shape[2], width = map.shape[3];
  const int64_t row = map.row_stride;
  if (map.channels_last()) return {height * width * row, 1, width * row, row};
  return {channels * height * row, height * row, row, 1};
}

// Pixels of one line, side by side on both sides.
struct Pixels {
  const char* from;
  char* to;
  int64_t count;
};

// Two-byte elements in blocks whose lines on both sides stay in the first-level cache.
void TurnHalves(const Pixels& pixels, const MapStrides& a, const MapStrides& b, int64_t channels) {
  constexpr int64_t kBlock = 32;
  const auto* from = reinterpret_cast<const uint16_t*>(pixels.from);
  auto* to = reinterpret_cast<uint16_t*>(pixels.to);
  for (int64_t pixel = 0; pixel < pixels.count; pixel += kBlock) {
    const int64_t pixel_end = std::min(pixel + kBlock, pixels.count);
    for (int64_t channel = 0; channel < channels; channel += kBlock) {
      const int64_t end = std::min(channel + kBlock, channels);
      for (int64_t i = pixel; i < pixel_end; ++i) {
        for (int64_t c = channel; c < end; ++c) {
          to[i * b.pixel + c * b.channel] = from[i * a.pixel + c * a.channel];
        }
      }
    }
  }
}

void TurnWords(const Pixels& pixels, const MapStrides& a, const MapStrides& b, int64_t channels) {
  static const TransposeUnitsKernel transpose = SelectTransposeUnits(Cpu().best());
  constexpr int64_t kWord = 4;
  const bool by_pixels = a.channel == 1;  // the rows that are read
  transpose({.from = pixels.from,
             .row_bytes = (by_pixels ? a.pixel : a.channel) * kWord,
             .rows = by_pixels ? pixels.count : channels,
             .units = by_pixels ? channels : pixels.count,
             .to = pixels.to,
             .to_stride = by_pixels ? b.channel : b.pixel});
}

// Pixels that are turned at once: four cache lines of every channel.
constexpr int64_t kPixels = 64;

void TurnMap(const TensorArg& from, const TensorArg& to, int threads) {
  const MapStrides a = StridesOf(from), b = StridesOf(to);
  const bool joined = JoinsLines(from) && JoinsLines(to);
  const int64_t channels = from.shape[1];
  const int64_t lines = joined ? 1 : from.shape[2];
  const int64_t line_pixels = joined ? from.shape[2] * from.shape[3] : from.shape[3];
  const int64_t blocks = CeilDiv(line_pixels, kPixels);
  const auto bytes = static_cast<int64_t>(ByteSize(from.dtype));
  const auto turn = bytes == 2 ? TurnHalves : TurnWords;
  ParallelFor(threads, from.shape[0] * lines * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t picture = unit / blocks / lines, line = unit / blocks % lines;
      const int64_t first = unit % blocks * kPixels;
      const auto place = [&](const MapStrides& s) {
        return (picture * s.picture + line * s.line + first * s.pixel) * bytes;
      };
      turn({.from = static_cast<const char*>(from.data) + place(a),
            .to = static_cast<char*>(to.data) + place(b),
            .count = std::min(kPixels, line_pixels - first)},
           a, b, channels);
    }
  });
}

void CopyRows(const TensorArg& from, const TensorArg& to, int threads) {
  const auto element = static_cast<int64_t>(ByteSize(from.dtype));
  const auto bytes = static_cast<size_t>(from.columns() * element);
  ParallelFor(threads, from.rows(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      std::memcpy(static_cast<char*>(to.data) + row * to.row_stride * element,
                  static_cast<const char*>(from.data) + row * from.row_stride * element, bytes);
    }
  });
}

}  // namespace

void CopyElements(const TensorArg& from, const TensorArg& to, int threads) {
  VN_CHECK(from.shape == to.shape && from.dtype == to.dtype, "copied elements differ in kind");
  if (from.shape.elements() == 0) return;
  if (from.layout == to.layout) return CopyRows(from, to, threads);
  const size_t bytes = ByteSize(from.dtype);
  VN_CHECK(bytes == 2 || bytes == 4, Name(from.dtype));
  TurnMap(from, to, threads);
}

Tensor RowMajorCopy(const TensorArg& from, int threads) {
  Tensor copy(from.dtype, from.shape);
  CopyElements(from, TensorArg::Of(copy.view()), threads);
  return copy;
}

}  // namespace vernier
