#include "io/resize_points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"

namespace vernier {
namespace {

constexpr int64_t kRowsPerPiece = 8;

double Blend(const std::array<double, 2>& v, double fraction) {
  return v[0] + (v[1] - v[0]) * fraction;
}

// The order of the sums is part of the result.
double Blend(const std::array<double, 4>& v, double fraction) {
  const double slope = v[2] - v[0];
  const double bend = 2.0 * (v[0] - v[1]) + v[2] - v[3];
  const double twist = v[1] - v[0] - v[2] + v[3];
  return v[1] + fraction * (slope + fraction * (bend + fraction * twist));
}

// Where an output sample falls: the source samples around it, and how far it lies past the one
// left of it. Samples beyond an edge are the edge's own.
template <int kTaps>
struct Point {
  std::array<int64_t, kTaps> samples;
  double fraction;
};

template <int kTaps>
std::vector<Point<kTaps>> PointsOf(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Point<kTaps>> points(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const double position = step * (static_cast<double>(i) + 0.5) - 0.5;
    const double left = std::floor(position);
    auto& point = points[static_cast<size_t>(i)];
    point.fraction = position - left;
    for (int tap = 0; tap < kTaps; ++tap)
      point.samples[static_cast<size_t>(tap)] =
          std::clamp<int64_t>(static_cast<int64_t>(left) + tap - (kTaps / 2 - 1), 0, from - 1);
  }
  return points;
}

template <int kTaps>
uint8_t SampleAt(const std::array<const uint8_t*, kTaps>& rows, const Point<kTaps>& column,
                 double row_fraction, int channels) {
  std::array<double, kTaps> across, down;
  for (size_t y = 0; y < kTaps; ++y) {
    for (size_t x = 0; x < kTaps; ++x) across[x] = rows[y][column.samples[x] * channels];
    down[y] = Blend(across, column.fraction);
  }
  return static_cast<uint8_t>(std::clamp(Blend(down, row_fraction), 0.0, 255.0));
}

template <int kTaps>
Image Interpolate(const Image& source, int64_t height, int64_t width, int threads) {
  const auto columns = PointsOf<kTaps>(source.width, width);
  const auto lines = PointsOf<kTaps>(source.height, height);
  const int channels = Channels(source.mode);
  Image out = NewImageLike(source, source.mode, width, height);
  ParallelFor(threads, height, kRowsPerPiece, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const auto& line = lines[static_cast<size_t>(y)];
      uint8_t* to = out.row(y);
      for (const auto& column : columns)
        for (int channel = 0; channel < channels; ++channel) {
          std::array<const uint8_t*, kTaps> rows;
          for (size_t tap = 0; tap < kTaps; ++tap)
            rows[tap] = source.row(line.samples[tap]) + channel;
          *to++ = SampleAt<kTaps>(rows, column, line.fraction, channels);
        }
    }
  });
  return out;
}

}  // namespace

Image InterpolateAtPoints(const Image& source, int64_t height, int64_t width,
                          const ResizeOptions& options) {
  VN_CHECK(BytesPerPixel(source.mode) == Channels(source.mode));
  VN_CHECK(options.filter == ResizeFilter::kBilinear || options.filter == ResizeFilter::kBicubic);
  return options.filter == ResizeFilter::kBilinear
             ? Interpolate<2>(source, height, width, options.threads)
             : Interpolate<4>(source, height, width, options.threads);
}

}  // namespace vernier
