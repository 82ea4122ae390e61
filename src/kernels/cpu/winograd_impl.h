// Winograd's transforms over any Vec (vec_<isa>.h), for instruction-set files only. A lane is a
// channel; a tile's vectors go through the one-dimensional transform column by column, then row by
// row.
#pragma once

#include "kernels/cpu/vec_rows.h"
#include "kernels/cpu/winograd.h"

namespace vernier {
namespace {

/// One-dimensional transforms: Input is B^T d in place, Output is A^T m.
template <class V, WinogradForm kForm>
struct WinogradLine;

template <class V>
struct WinogradLine<V, WinogradForm::kF2> {
  static constexpr int kIn = 4, kOut = 2;
  [[gnu::always_inline]] static void Input(V (&d)[kIn]) {
    const V sum = d[1] + d[2], difference = d[2] - d[1];
    d[0] = d[0] - d[2];
    d[3] = d[1] - d[3];
    d[1] = sum;
    d[2] = difference;
  }
  [[gnu::always_inline]] static void Output(const V (&m)[kIn], V (&y)[kOut]) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) - m[3];
  }
};

// The points 0, a, -a, b, -b and infinity.
template <class V>
struct WinogradLine<V, WinogradForm::kF4> {
  static constexpr int kIn = 6, kOut = 4;
  static constexpr float kA = kWinogradNear, kB = kWinogradFar;
  static constexpr float kA2 = kA * kA, kB2 = kB * kB;
  [[gnu::always_inline]] static void Input(V (&d)[kIn]) {
    const V minus_a2 = V::Set(-kA2), minus_b2 = V::Set(-kB2);
    const V product = V::Set(kA2 * kB2), minus_sum = V::Set(-(kA2 + kB2));
    const V near = Fma(minus_b2, d[2], d[4]), near_odd = Fma(minus_b2, d[1], d[3]);
    const V far = Fma(minus_a2, d[2], d[4]), far_odd = Fma(minus_a2, d[1], d[3]);
    d[0] = Fma(product, d[0], Fma(minus_sum, d[2], d[4]));
    d[5] = Fma(product, d[1], Fma(minus_sum, d[3], d[5]));
    d[1] = Fma(V::Set(kA), near_odd, near);
    d[2] = Fma(V::Set(-kA), near_odd, near);
    d[3] = Fma(V::Set(kB), far_odd, far);
    d[4] = Fma(V::Set(-kB), far_odd, far);
  }
  [[gnu::always_inline]] static void Output(const V (&m)[kIn], V (&y)[kOut]) {
    const V near = m[1] + m[2], near_odd = m[1] - m[2];
    const V far = m[3] + m[4], far_odd = m[3] - m[4];
    y[0] = m[0] + (near + far);
    y[1] = Fma(V::Set(kB), far_odd, V::Set(kA) * near_odd);
    y[2] = Fma(V::Set(kB2), far, V::Set(kA2) * near);
    y[3] = Fma(V::Set(kB2 * kB), far_odd, Fma(V::Set(kA2 * kA), near_odd, m[5]));
  }
};

/// A tile's place in its map, and which of its rows and columns lie in there.
struct WinogradPlace {
  int64_t pixel;  // of the tile's first row and column, which may lie outside
  int64_t row_begin, row_end, column_begin, column_end;
};

/// Walks over tiles without dividing for each.
class WinogradWalk {
 public:
  WinogradWalk(const WinogradTiles& tiles, int64_t side)
      : height_(tiles.height),
        width_(tiles.width),
        side_(side),
        columns_((width_ + side - 1) / side),
        rows_((height_ + side - 1) / side) {
    picture_ = tiles.first / (rows_ * columns_);
    const int64_t rest = tiles.first % (rows_ * columns_);
    row_ = rest / columns_;
    column_ = rest % columns_;
  }

  /// The present tile as `side` + 2 · border pixels square.
  WinogradPlace Place(int64_t border) const {
    const int64_t y = row_ * side_ - border, x = column_ * side_ - border;
    const int64_t extent = side_ + 2 * border;
    const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
    return {.pixel = (picture_ * height_ + y) * width_ + x,
            .row_begin = y < 0 ? -y : 0,
            .row_end = least(extent, height_ - y),
            .column_begin = x < 0 ? -x : 0,
            .column_end = least(extent, width_ - x)};
  }

  void Next() {
    if (++column_ < columns_) return;
    column_ = 0;
    if (++row_ < rows_) return;
    row_ = 0;
    ++picture_;
  }

 private:
  int64_t height_, width_, side_, columns_, rows_;
  int64_t picture_, row_, column_;
};

template <class V, bool kWhole, class T>
[[gnu::always_inline]] inline V LoadChannels(const T* from, int64_t count) {
  if constexpr (kWhole) return V::Load(from);
  return V::LoadFirst(from, count);
}

template <bool kWhole, class V, class T>
[[gnu::always_inline]] inline void StoreChannels(V x, T* to, int64_t count) {
  if constexpr (kWhole) {
    x.Store(to);
  } else {
    x.StoreFirst(to, count);
  }
}

/// One register of channels of one tile, `count` of them where not kWhole. Only tiles at an edge
/// ask which of their pixels exist.
template <class Line, class V, bool kInside, bool kWhole, class In, class Out>
[[gnu::always_inline]] inline void TransformInputChannels(const WinogradInput& args,
                                                          const WinogradPlace& place,
                                                          const In* from, Out* to, int64_t count) {
  constexpr int kSide = Line::kIn;
  const int64_t row_stride = args.tiles.width * args.pixel_stride;
  V middle[kSide][kSide];
#pragma GCC unroll 6
  for (int column = 0; column < kSide; ++column) {
    V line[kSide];
#pragma GCC unroll 6
    for (int row = 0; row < kSide; ++row) {
      const bool inside = kInside || (row >= place.row_begin && row < place.row_end &&
                                      column >= place.column_begin && column < place.column_end);
      line[row] = inside ? LoadChannels<V, kWhole>(
                               from + row * row_stride + column * args.pixel_stride, count)
                         : V::Set(0.0f);
    }
    Line::Input(line);
#pragma GCC unroll 6
    for (int row = 0; row < kSide; ++row) middle[row][column] = line[row];
  }
#pragma GCC unroll 6
  for (int row = 0; row < kSide; ++row) {
    Line::Input(middle[row]);
#pragma GCC unroll 6
    for (int column = 0; column < kSide; ++column) {
      StoreChannels<kWhole>(middle[row][column], to + (row * kSide + column) * args.point_stride,
                            count);
    }
  }
}

template <class Line, class V, bool kInside, class In, class Out>
void TransformInputTile(const WinogradInput& args, const WinogradPlace& place, Out* to) {
  const In* from = static_cast<const In*>(args.map) + place.pixel * args.pixel_stride;
  const int64_t whole = args.channels / V::kWidth * V::kWidth;
  for (int64_t c = 0; c < whole; c += V::kWidth) {
    TransformInputChannels<Line, V, kInside, true>(args, place, from + c, to + c, V::kWidth);
  }
  if (whole < args.channels) {
    TransformInputChannels<Line, V, kInside, false>(args, place, from + whole, to + whole,
                                                    args.channels - whole);
  }
}

template <class Line, class V, class In, class Out>
void TransformInputOf(const WinogradInput& args) {
  constexpr int64_t kSide = Line::kIn;
  WinogradWalk walk(args.tiles, Line::kOut);
  for (int64_t tile = 0; tile < args.tiles.count; ++tile, walk.Next()) {
    const WinogradPlace place = walk.Place(1);
    Out* to = static_cast<Out*>(args.values) + tile * args.tile_stride;
    const bool inside = place.row_begin == 0 && place.row_end == kSide && place.column_begin == 0 &&
                        place.column_end == kSide;
    if (inside) {
      TransformInputTile<Line, V, true, In>(args, place, to);
    } else {
      TransformInputTile<Line, V, false, In>(args, place, to);
    }
  }
}

template <WinogradForm kForm, class V>
void TransformInput(const WinogradInput& args) noexcept {
  using Line = WinogradLine<V, kForm>;
  const bool to_bf16 = args.value_element == Element::kBf16;
  if (args.element == Element::kF32) {
    to_bf16 ? TransformInputOf<Line, V, float, uint16_t>(args)
            : TransformInputOf<Line, V, float, float>(args);
  } else {
    to_bf16 ? TransformInputOf<Line, V, uint16_t, uint16_t>(args)
            : TransformInputOf<Line, V, uint16_t, float>(args);
  }
}

template <class V, bool kWhole, class Residual>
[[gnu::always_inline]] inline V FinishChannels(V y, V bias, bool relu, const Residual* residual,
                                               int64_t count) {
  y = y + bias;
  if (residual != nullptr) y = y + LoadChannels<V, kWhole>(residual, count);
  if (relu) y = Max(V::Set(0.0f), y);  // NaN passes, so that it is seen
  return y;
}

template <class Line, class V, bool kWhole, class Out, class Residual>
[[gnu::always_inline]] inline void TransformOutputChannels(const WinogradOutput& args,
                                                           const WinogradPlace& place,
                                                           const float* sums, int64_t channel,
                                                           int64_t count) {
  constexpr int kIn = Line::kIn, kOut = Line::kOut;
  V middle[kOut][kIn];
#pragma GCC unroll 6
  for (int column = 0; column < kIn; ++column) {
    V line[kIn], result[kOut];
#pragma GCC unroll 6
    for (int row = 0; row < kIn; ++row) {
      const float* at = sums + (row * kIn + column) * args.point_stride + channel;
      line[row] = LoadChannels<V, kWhole>(at, count);
    }
    Line::Output(line, result);
#pragma GCC unroll 4
    for (int row = 0; row < kOut; ++row) middle[row][column] = result[row];
  }
  const V bias =
      args.bias == nullptr ? V::Set(0.0f) : LoadChannels<V, kWhole>(args.bias + channel, count);
  const auto* residual = static_cast<const Residual*>(args.residual);
#pragma GCC unroll 4
  for (int row = 0; row < kOut; ++row) {
    if (row >= place.row_end) break;
    V result[kOut];
    Line::Output(middle[row], result);
#pragma GCC unroll 4
    for (int column = 0; column < kOut; ++column) {
      if (column >= place.column_end) break;
      const int64_t pixel = place.pixel + row * args.tiles.width + column;
      const Residual* added =
          residual == nullptr ? nullptr : residual + pixel * args.residual_stride + channel;
      const V y = FinishChannels<V, kWhole>(result[column], bias, args.relu, added, count);
      StoreChannels<kWhole>(y, static_cast<Out*>(args.map) + pixel * args.pixel_stride + channel,
                            count);
    }
  }
}

template <class Line, class V, class Out, class Residual>
void TransformOutputOf(const WinogradOutput& args) {
  WinogradWalk walk(args.tiles, Line::kOut);
  const int64_t whole = args.channels / V::kWidth * V::kWidth;
  for (int64_t tile = 0; tile < args.tiles.count; ++tile, walk.Next()) {
    const WinogradPlace place = walk.Place(0);
    const float* sums = args.sums + tile * args.tile_stride;
    for (int64_t c = 0; c < whole; c += V::kWidth) {
      TransformOutputChannels<Line, V, true, Out, Residual>(args, place, sums, c, V::kWidth);
    }
    if (whole < args.channels) {
      TransformOutputChannels<Line, V, false, Out, Residual>(args, place, sums, whole,
                                                             args.channels - whole);
    }
  }
}

template <WinogradForm kForm, class V>
void TransformOutput(const WinogradOutput& args) noexcept {
  using Line = WinogradLine<V, kForm>;
  const bool to_bf16 = args.element == Element::kBf16;
  if (args.residual_element == Element::kF32) {
    to_bf16 ? TransformOutputOf<Line, V, uint16_t, float>(args)
            : TransformOutputOf<Line, V, float, float>(args);
  } else {
    to_bf16 ? TransformOutputOf<Line, V, uint16_t, uint16_t>(args)
            : TransformOutputOf<Line, V, float, uint16_t>(args);
  }
}

template <class V, WinogradForm kForm>
constexpr WinogradTransforms WinogradVersion() {
  return {.input = TransformInput<kForm, V>, .output = TransformOutput<kForm, V>};
}

}  // namespace
}  // namespace vernier
