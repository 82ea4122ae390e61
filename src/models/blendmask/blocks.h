// What BlendMask's parts are built of; private to this folder.
#pragma once

#include <map>
#include <string>

#include "models/blendmask/config.h"
#include "nn/map_layers.h"

namespace vernier::blendmask {

inline constexpr double kNormEps = 1e-5;  // of every norm, frozen ones included
inline constexpr int64_t kGroups = 32;    // of every group norm outside of the towers

/// Feature maps by their short names: "res3", "p4".
using Features = std::map<std::string, Value>;

Value Norm(Value x, BlendMaskNorm kind, int64_t groups, const Path& weights, const Path& at);
Value Relu(Value x, const Path& at);

/// detectron2's Conv2d: the convolution `at` with its norm, if any, in `at`.norm. The result is
/// known by both names.
Value ConvWithNorm(Value x, const nn::Convolution& conv, BlendMaskNorm norm, const Path& at);

/// The bodies; `at` is backbone.bottom_up.
Features ResNet(Value x, const BlendMaskConfig& config, const Path& at);
Features Dla34(Value x, const BlendMaskConfig& config, const Path& at);
/// p3 to p7, as far as the configuration goes.
Features FeaturePyramid(const Features& body, const BlendMaskConfig& config, const Path& at);
/// [batch, bases, 2 * height, 2 * width] of the finest level.
Value Bases(const Features& pyramid, const BlendMaskConfig& config, const Path& at);

struct LevelHeads {
  Value cls_logits;
  Value bbox_reg;
  Value centerness;
  Value bbox_tower;
};
/// The heads on level `index` of the configuration, in two branches of the graph; what both share
/// is in that of the classes.
struct HeadPlace {
  int index;
  int class_branch;
  int box_branch;
};
LevelHeads Heads(Value x, const BlendMaskConfig& config, const HeadPlace& place, const Path& at);

}  // namespace vernier::blendmask
