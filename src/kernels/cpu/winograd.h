// The transforms of Winograd's minimal filtering for 3x3 convolutions of stride 1 with one pixel of
// zeros around a channels-last map, after Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks" (2015, arXiv 1509.09308):
//   output tile = A^T [(G filter G^T) * (B^T input tile B)] A
// The products in the middle become one matrix product over channels for each point of the tile.
// F(2x2) needs 16 for 4 pixels, which take 36 directly; F(4x4) 36 for 16, which take 144. Pure,
// noexcept, no threads. Bound: bytes; a vector of channels is read where it lies, and a whole
// tile's arithmetic (144 and 120 steps for F(4x4), 32 and 24 for F(2x2)) hides behind it.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

enum class Isa;

/// Named by the pixels on a side of an output tile.
enum class WinogradForm : uint8_t { kF2, kF4 };

/// F(4x4) evaluates its polynomials at 0, infinity and both signs of these. Which points matters:
/// Alam et al., "Winograd Convolution for Deep Neural Networks: Efficient Point Selection" (2022,
/// arXiv 2201.10369). These have powers that fp32 holds exactly and lose half of what the
/// textbook's 1 and 2 lose: 1.2e-6 of the result's root mean square over 256 channels, not 2.7e-6
/// (the best of 16 pairs tried).
constexpr float kWinogradNear = 0.625f, kWinogradFar = 1.5f;

constexpr int64_t WinogradOutputSide(WinogradForm form) {
  return form == WinogradForm::kF2 ? 2 : 4;
}
constexpr int64_t WinogradInputSide(WinogradForm form) { return WinogradOutputSide(form) + 2; }
/// Matrix products that a convolution becomes.
constexpr int64_t WinogradPoints(WinogradForm form) {
  return WinogradInputSide(form) * WinogradInputSide(form);
}

/// Tiles of maps that lie one after the other, numbered by picture, then row, then column; those at
/// the right and lower edge may be cut.
struct WinogradTiles {
  int64_t height = 0, width = 0;  // of a map, in pixels
  int64_t first = 0, count = 0;
};

/// Tiles of a map to their values at the points.
struct WinogradInput {
  WinogradTiles tiles;
  const void* map = nullptr;  // the first picture's first pixel
  Element element = Element::kF32;
  int64_t pixel_stride = 0;  // elements, at least `channels`
  int64_t channels = 0;
  void* values = nullptr;  // [points][tiles][channels], of strides in elements
  Element value_element = Element::kF32;
  int64_t point_stride = 0, tile_stride = 0;
};

/// Products at the points to tiles of a map, with what follows a convolution:
/// act(sums + bias + residual).
struct WinogradOutput {
  WinogradTiles tiles;
  const float* sums = nullptr;  // [points][tiles][channels]
  int64_t point_stride = 0, tile_stride = 0;
  int64_t channels = 0;
  const float* bias = nullptr;     // [channels]; null: none
  const void* residual = nullptr;  // a map of the result's shape; null: none; may be the result
  Element residual_element = Element::kF32;
  int64_t residual_stride = 0;
  bool relu = false;
  void* map = nullptr;
  Element element = Element::kF32;
  int64_t pixel_stride = 0;
};

struct WinogradTransforms {
  void (*input)(const WinogradInput&) noexcept;
  void (*output)(const WinogradOutput&) noexcept;
};

/// The fastest version within `isa`.
const WinogradTransforms& SelectWinograd(Isa isa, WinogradForm form);

// By form. The scalar ones are the contract: fp64 sums, rounded once.
namespace scalar {
extern const WinogradTransforms kWinograd[2];
}
namespace avx2 {
extern const WinogradTransforms kWinograd[2];
}
namespace avx512 {
extern const WinogradTransforms kWinograd[2];
}
namespace avx512_bf16 {
extern const WinogradTransforms kWinograd[2];
}
namespace neon {
extern const WinogradTransforms kWinograd[2];
}

}  // namespace vernier
