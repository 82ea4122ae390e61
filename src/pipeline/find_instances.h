// From a detector's dense maps to the instances of each picture: what its graph leaves out, since
// how much there is depends on the picture. Pure but for the top layer that it is given.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "models/blendmask/config.h"
#include "runtime/context.h"
#include "vernier/instances.h"
#include "vernier/session.h"

namespace vernier {

/// The top layer at chosen places: [locations, 9 * channels] to [locations, attention].
using TopLayer = std::function<Tensor(const Tensor& windows)>;

struct DetectorRun {
  const BlendMaskConfig& config;
  const NamedTensors& maps;  // bases; per level cls_logits, bbox_reg, ctrness, and bbox_tower or
                             // top_feat: [pictures, channels, height, width]
  std::span<const PictureInfo> pictures;  // empty: the inputs are the pictures
  const DetectionRequest& request;
  int threads = 1;
};

/// One entry per picture. `top` is called where the maps hold no top_feat.
std::vector<PictureInstances> FindInstances(const DetectorRun& run, const TopLayer& top);

}  // namespace vernier
