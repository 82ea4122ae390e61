#include "metrics/coco_polygon.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/coco_mask.h"

namespace vernier {
namespace {

// pycocotools walks along the boundary on a grid this much finer than pixels.
constexpr double kFiner = 5;

struct GridPoint {
  int64_t x, y;
};

int64_t OnGrid(double coordinate) { return static_cast<int64_t>(kFiner * coordinate + 0.5); }

// All grid points of one edge, from end to end, a step in its longer direction at a time.
void WalkEdge(GridPoint from, GridPoint to, std::vector<GridPoint>& points) {
  const int64_t dx = std::abs(to.x - from.x), dy = std::abs(to.y - from.y);
  const bool by_columns = dx >= dy;
  const bool flipped = by_columns ? from.x > to.x : from.y > to.y;
  if (flipped) std::swap(from, to);
  const int64_t steps = by_columns ? dx : dy;
  const double rise = static_cast<double>(by_columns ? to.y - from.y : to.x - from.x);
  const double slope = steps > 0 ? rise / static_cast<double>(steps) : 0;
  for (int64_t d = 0; d <= steps; ++d) {
    const int64_t t = flipped ? steps - d : d;
    const auto across = [&](int64_t start) {
      const double at = static_cast<double>(start) + slope * static_cast<double>(t) + 0.5;
      return static_cast<int64_t>(at);
    };
    points.push_back(by_columns ? GridPoint{from.x + t, across(from.y)}
                                : GridPoint{across(from.x), from.y + t});
  }
}

// Places in column order where the boundary crosses the centre line of a pixel column: the mask
// changes there.
std::vector<int64_t> Crossings(const std::vector<double>& polygon, int64_t height, int64_t width) {
  std::vector<GridPoint> points;
  const size_t corners = polygon.size() / 2;
  for (size_t i = 0; i < corners; ++i) {
    const size_t next = (i + 1) % corners;
    WalkEdge({OnGrid(polygon[2 * i]), OnGrid(polygon[2 * i + 1])},
             {OnGrid(polygon[2 * next]), OnGrid(polygon[2 * next + 1])}, points);
  }
  std::vector<int64_t> crossings;
  for (size_t j = 1; j < points.size(); ++j) {
    if (points[j].x == points[j - 1].x) continue;
    const int64_t left = points[j].x < points[j - 1].x ? points[j].x : points[j].x - 1;
    const double column = (static_cast<double>(left) + 0.5) / kFiner - 0.5;
    if (std::floor(column) != column || column < 0 || column > static_cast<double>(width - 1)) {
      continue;
    }
    const auto upper = static_cast<double>(std::min(points[j].y, points[j - 1].y));
    const double row =
        std::ceil(std::clamp((upper + 0.5) / kFiner - 0.5, 0.0, static_cast<double>(height)));
    crossings.push_back(static_cast<int64_t>(column) * height + static_cast<int64_t>(row));
  }
  std::ranges::sort(crossings);
  return crossings;
}

}  // namespace

RunLengths MaskOfPolygons(std::span<const std::vector<double>> polygons, int64_t height,
                          int64_t width) {
  std::vector<uint8_t> pixels(static_cast<size_t>(height * width));
  for (const std::vector<double>& polygon : polygons) {
    std::vector<int64_t> crossings = Crossings(polygon, height, width);
    crossings.push_back(height * width);
    bool inside = false;
    int64_t at = 0;
    for (const int64_t crossing : crossings) {
      for (; at < crossing; ++at) {
        if (inside) pixels[static_cast<size_t>(at % height * width + at / height)] = 1;
      }
      inside = !inside;
    }
  }
  return EncodeMask(pixels, height, width);
}

}  // namespace vernier
