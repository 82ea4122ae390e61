#include "backends/reorder.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "core/parallel.h"

namespace vernier {
namespace {

// Pixels and channels of a block that is turned at once: its lines on both sides stay in the
// first-level cache.
constexpr int64_t kBlock = 32;

// A map as pixels by channels: elements between neighbours of each axis.
struct MapStrides {
  int64_t picture, channel, line, pixel;
};

MapStrides StridesOf(const TensorArg& map) {
  const int64_t channels = map.shape[1], height = map.shape[2], width = map.shape[3];
  const int64_t row = map.row_stride;
  if (map.channels_last()) return {height * width * row, 1, width * row, row};
  return {channels * height * row, height * row, row, 1};
}

template <typename T>
void CopyLine(const T* from, const MapStrides& a, T* to, const MapStrides& b, int64_t channels,
              int64_t width) {
  for (int64_t column = 0; column < width; column += kBlock) {
    const int64_t columns = std::min(kBlock, width - column);
    for (int64_t channel = 0; channel < channels; channel += kBlock) {
      const int64_t end = std::min(channel + kBlock, channels);
      for (int64_t i = column; i < column + columns; ++i) {
        for (int64_t c = channel; c < end; ++c) {
          to[i * b.pixel + c * b.channel] = from[i * a.pixel + c * a.channel];
        }
      }
    }
  }
}

template <typename T>
void TurnMap(const TensorArg& from, const TensorArg& to, int threads) {
  const MapStrides a = StridesOf(from), b = StridesOf(to);
  const int64_t channels = from.shape[1], height = from.shape[2], width = from.shape[3];
  ParallelFor(threads, from.shape[0] * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t picture = line / height, y = line % height;
      CopyLine(static_cast<const T*>(from.data) + picture * a.picture + y * a.line, a,
               static_cast<T*>(to.data) + picture * b.picture + y * b.line, b, channels, width);
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
  switch (ByteSize(from.dtype)) {
    case 2:
      return TurnMap<uint16_t>(from, to, threads);
    case 4:
      return TurnMap<uint32_t>(from, to, threads);
    default:
      VN_CHECK(false, Name(from.dtype));
  }
}

Tensor RowMajorCopy(const TensorArg& from, int threads) {
  Tensor copy(from.dtype, from.shape);
  CopyElements(from, TensorArg::Of(copy.view()), threads);
  return copy;
}

}  // namespace vernier
