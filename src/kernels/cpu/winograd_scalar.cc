// Winograd's transforms in plain C++, from their matrices: the contract of the other versions.
#include "core/float_types.h"
#include "kernels/cpu/winograd.h"

namespace vernier::scalar {
namespace {

template <WinogradForm kForm>
struct Matrices;

template <>
struct Matrices<WinogradForm::kF2> {
  static constexpr int kIn = 4, kOut = 2;
  static constexpr double kInput[kIn][kIn] = {
      {1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
  static constexpr double kOutput[kOut][kIn] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
};

template <>
struct Matrices<WinogradForm::kF4> {
  static constexpr int kIn = 6, kOut = 4;
  static constexpr double kA = kWinogradNear, kB = kWinogradFar;
  static constexpr double kA2 = kA * kA, kB2 = kB * kB;
  static constexpr double kInput[kIn][kIn] = {
      {kA2 * kB2, 0, -(kA2 + kB2), 0, 1, 0}, {0, -kA* kB2, -kB2, kA, 1, 0},
      {0, kA* kB2, -kB2, -kA, 1, 0},         {0, -kB* kA2, -kA2, kB, 1, 0},
      {0, kB* kA2, -kA2, -kB, 1, 0},         {0, kA2* kB2, 0, -(kA2 + kB2), 0, 1}};
  static constexpr double kOutput[kOut][kIn] = {{1, 1, 1, 1, 1, 0},
                                                {0, kA, -kA, kB, -kB, 0},
                                                {0, kA2, kA2, kB2, kB2, 0},
                                                {0, kA2* kA, -kA2* kA, kB2* kB, -kB2* kB, 1}};
};

/// matrix · tile · matrix^T.
template <int kRows, int kColumns>
void Transform(const double (&matrix)[kRows][kColumns], const double (&tile)[kColumns][kColumns],
               double (&to)[kRows][kRows]) {
  double middle[kRows][kColumns] = {};
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j) {
      for (int k = 0; k < kColumns; ++k) middle[i][j] += matrix[i][k] * tile[k][j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kRows; ++j) {
      to[i][j] = 0;
      for (int k = 0; k < kColumns; ++k) to[i][j] += middle[i][k] * matrix[j][k];
    }
  }
}

double Get(const void* from, Element element, int64_t at) {
  return element == Element::kF32 ? static_cast<const float*>(from)[at]
                                  : FromBf16(static_cast<const uint16_t*>(from)[at]);
}

void Put(double value, void* to, Element element, int64_t at) {
  const float rounded = static_cast<float>(value);
  if (element == Element::kF32) {
    static_cast<float*>(to)[at] = rounded;
  } else {
    static_cast<uint16_t*>(to)[at] = ToBf16(rounded);
  }
}

/// Pixels of a map by tile, row and column; row and column count from the tile's first output.
class Places {
 public:
  Places(const WinogradTiles& tiles, int64_t side)
      : tiles_(tiles),
        side_(side),
        columns_((tiles.width + side - 1) / side),
        of_map_(columns_ * ((tiles.height + side - 1) / side)) {}

  /// Negative: outside of the map.
  int64_t Pixel(int64_t tile, int64_t row, int64_t column) const {
    const int64_t picture = (tiles_.first + tile) / of_map_;
    const int64_t in_map = (tiles_.first + tile) % of_map_;
    const int64_t y = in_map / columns_ * side_ + row, x = in_map % columns_ * side_ + column;
    if (y < 0 || y >= tiles_.height || x < 0 || x >= tiles_.width) return -1;
    return (picture * tiles_.height + y) * tiles_.width + x;
  }

 private:
  WinogradTiles tiles_;
  int64_t side_, columns_, of_map_;
};

template <WinogradForm kForm>
void Input(const WinogradInput& args) noexcept {
  constexpr int kSide = Matrices<kForm>::kIn;
  const Places places(args.tiles, Matrices<kForm>::kOut);
  for (int64_t tile = 0; tile < args.tiles.count; ++tile) {
    for (int64_t channel = 0; channel < args.channels; ++channel) {
      double from[kSide][kSide], to[kSide][kSide];
      for (int row = 0; row < kSide; ++row) {
        for (int column = 0; column < kSide; ++column) {
          const int64_t pixel = places.Pixel(tile, row - 1, column - 1);
          from[row][column] =
              pixel < 0 ? 0 : Get(args.map, args.element, pixel * args.pixel_stride + channel);
        }
      }
      Transform(Matrices<kForm>::kInput, from, to);
      for (int point = 0; point < kSide * kSide; ++point) {
        Put(to[point / kSide][point % kSide], args.values, args.value_element,
            point * args.point_stride + tile * args.tile_stride + channel);
      }
    }
  }
}

template <WinogradForm kForm>
void Output(const WinogradOutput& args) noexcept {
  constexpr int kIn = Matrices<kForm>::kIn, kOut = Matrices<kForm>::kOut;
  const Places places(args.tiles, kOut);
  for (int64_t tile = 0; tile < args.tiles.count; ++tile) {
    for (int64_t channel = 0; channel < args.channels; ++channel) {
      double from[kIn][kIn], to[kOut][kOut];
      for (int point = 0; point < kIn * kIn; ++point) {
        from[point / kIn][point % kIn] =
            args.sums[point * args.point_stride + tile * args.tile_stride + channel];
      }
      Transform(Matrices<kForm>::kOutput, from, to);
      for (int i = 0; i < kOut * kOut; ++i) {
        const int64_t pixel = places.Pixel(tile, i / kOut, i % kOut);
        if (pixel < 0) continue;
        double value = to[i / kOut][i % kOut];
        if (args.bias != nullptr) value += args.bias[channel];
        if (args.residual != nullptr) {
          value +=
              Get(args.residual, args.residual_element, pixel * args.residual_stride + channel);
        }
        if (args.relu && value < 0) value = 0;  // NaN passes, so that it is seen
        Put(value, args.map, args.element, pixel * args.pixel_stride + channel);
      }
    }
  }
}

}  // namespace

const WinogradTransforms kWinograd[2] = {
    {.input = Input<WinogradForm::kF2>, .output = Output<WinogradForm::kF2>},
    {.input = Input<WinogradForm::kF4>, .output = Output<WinogradForm::kF4>}};

}  // namespace vernier::scalar
