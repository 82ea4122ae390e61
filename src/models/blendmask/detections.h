// From the head's dense maps to detections: threshold, the best of each level, boxes, suppression,
// the best of the picture. AdelaiDet's FCOS at inference, ties by place. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/blendmask/candidates.h"
#include "models/blendmask/config.h"
#include "models/blendmask/nms.h"

namespace vernier {

struct Detection {
  BoxCorners box;  // in pixels of the network's input, not clipped
  float score = 0;
  int32_t category = 0;
  int32_t level = 0;              // place in BlendMaskConfig::levels
  int64_t location = 0;           // row * width + column in that level's maps
  std::array<float, 2> centre{};  // of the location, x and y, in pixels of the input
};

/// The detections of one picture, best first. `levels` are in the configuration's order. Throws
/// Error{kInput} where a score or a box is not finite; `picture` is named in the message.
std::vector<Detection> SelectDetections(std::span<const HeadMaps> levels,
                                        const BlendMaskConfig& config, const std::string& picture,
                                        int threads = 1);

}  // namespace vernier
