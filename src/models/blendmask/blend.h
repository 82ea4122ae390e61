// A detection's mask in its box: the picture's bases, pooled from the box, mixed by the attention
// of the detection's location. Pure functions; threads share nothing that they write.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/blendmask/config.h"
#include "models/blendmask/nms.h"

namespace vernier {

/// The bases of one picture.
struct BasisMaps {
  int64_t height = 0;
  int64_t width = 0;
  std::span<const float> values;  // [bases, height, width]
};

/// detectron2's ROIAlign: [bases, R, R] of `box`, which is in pixels of the network's input and may
/// leave the maps; what lies more than a cell outside of them counts as 0.
std::vector<float> PoolBases(const BasisMaps& bases, const BoxCorners& box,
                             const BlendMaskConfig& config);

/// Logits of the masks [boxes, R, R]; `attention` [boxes, bases * A * A].
std::vector<float> BlendMasks(const BasisMaps& bases, std::span<const BoxCorners> boxes,
                              std::span<const float> attention, const BlendMaskConfig& config,
                              int threads);

}  // namespace vernier
