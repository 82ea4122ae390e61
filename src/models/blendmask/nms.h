// Suppression of boxes that overlap better ones of their class, as torchvision's batched_nms does
// it on a CPU, to the last float. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace vernier {

/// Left, top, right, bottom; not clipped, so coordinates may be negative.
using BoxCorners = std::array<float, 4>;

struct ScoredBoxes {
  std::span<const BoxCorners> boxes;
  std::span<const float> scores;
  std::span<const int32_t> classes;
};

/// Indices of the boxes that stay, best score first, the earlier first where scores are equal. A
/// box goes when its intersection by union with a better one exceeds `threshold`.
///
/// Up to 1000 boxes, classes are kept apart by moving each by its number times the largest
/// coordinate and 1. Boxes with negative coordinates can then meet one of another class and be
/// suppressed by it; the published model has been evaluated with that, so it stays.
///
/// Above 0, `most` ends the search: once so many stay, only those follow that score as well as the
/// last of them.
std::vector<int64_t> SuppressOverlaps(const ScoredBoxes& boxes, double threshold, int64_t most = 0);

}  // namespace vernier
