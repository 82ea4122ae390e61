// Polygons as masks, pixel for pixel as pycocotools fills them. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vernier/instances.h"

namespace vernier {

/// The union of polygons, each x, y, x, y, … in pixels. What lies outside the mask is cut off.
RunLengths MaskOfPolygons(std::span<const std::vector<double>> polygons, int64_t height,
                          int64_t width);

}  // namespace vernier
