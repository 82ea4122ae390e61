// The end of a convolution: a tile of product rows, one for each pixel, becomes part of a map
// [channels, height, width], with bias, residual and ReLU on the way. Bound by its stores.
// Portable; pure, no threads, no allocation.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

struct MapTile {
  int64_t pixels = 0;
  int64_t channels = 0;
  const float* results = nullptr;  // [pixels, channels], dense
  const float* bias = nullptr;     // [channels]
  int64_t first_pixel = 0;
  int64_t width = 0, height = 0;   // of the map
  const void* residual = nullptr;  // of the map's shape; null: none
  Element residual_element = Element::kF32;
  int64_t residual_stride = 0;  // elements from row to row
  bool relu = false;
  void* map = nullptr;
  Element element = Element::kF32;
  int64_t row_stride = 0;
};

void StoreMapTile(const MapTile& tile) noexcept;

}  // namespace vernier
