#include "kernels/cpu/map_tile.h"

#include "core/float_types.h"

namespace vernier {
namespace {

float Load(const float* from) { return *from; }
float Load(const uint16_t* from) { return FromBf16(*from); }
void Store(float value, float* to) { *to = value; }
void Store(float value, uint16_t* to) { *to = ToBf16(value); }

// Channels in the outer loop, so that stores run along the rows of the map.
template <typename To, typename Residual>
void Run(const MapTile& t) {
  auto* map = static_cast<To*>(t.map);
  const auto* residual = static_cast<const Residual*>(t.residual);
  for (int64_t c = 0; c < t.channels; ++c) {
    int64_t row = c * t.height + t.first_pixel / t.width, column = t.first_pixel % t.width;
    for (int64_t i = 0; i < t.pixels; ++i) {
      float value = t.results[i * t.channels + c] + t.bias[c];
      if (residual != nullptr) value += Load(residual + row * t.residual_stride + column);
      // NaN passes, so that it is seen.
      if (t.relu && value < 0) value = 0;
      Store(value, map + row * t.row_stride + column);
      if (++column == t.width) {
        column = 0;
        ++row;
      }
    }
  }
}

}  // namespace

void StoreMapTile(const MapTile& tile) noexcept {
  const bool half = tile.element == Element::kBf16;
  if (tile.residual_element == Element::kBf16) {
    half ? Run<uint16_t, uint16_t>(tile) : Run<float, uint16_t>(tile);
  } else {
    half ? Run<uint16_t, float>(tile) : Run<float, float>(tile);
  }
}

}  // namespace vernier
