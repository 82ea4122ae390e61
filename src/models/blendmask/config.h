// Configuration of a BlendMask (Chen et al. 2020) or BlendMask-Lite: the keys of AdelaiDet's yaml
// with detectron2's and AdelaiDet's defaults, from such a file or from a config.json that holds the
// same tree. What inference does not read (SOLVER, DATASETS, …) is ignored; what would change the
// network and is not built here is refused by name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "io/json.h"

namespace vernier {

enum class BlendMaskBody { kResNet, kDla34 };

/// FrozenBN, BN and SyncBN are one at inference.
enum class BlendMaskNorm {
  kNone,
  kBatch,        // in the towers: one per pyramid level
  kSharedBatch,  // towers only: one for all levels
  kGroup,
};

struct BlendMaskConfig {
  // From picture to tensor. With a fixed size, pictures are stretched to it; without, the shorter
  // side becomes min_size unless the longer would exceed max_size.
  bool bgr = true;
  std::array<float, 3> pixel_mean = {103.53f, 116.28f, 123.675f};  // in the order of the channels
  std::array<float, 3> pixel_std = {1, 1, 1};
  int64_t min_size = 800, max_size = 1333;
  int64_t fixed_height = 0, fixed_width = 0;   // 0: not fixed
  static constexpr int64_t kSizeDivisor = 32;  // padding of a batch, whatever the levels

  BlendMaskBody body = BlendMaskBody::kResNet;
  BlendMaskNorm body_norm = BlendMaskNorm::kBatch;
  bool frozen_body = true;  // FrozenBN, whose running mean and variance old files lack
  int64_t depth = 50;
  int64_t stem_channels = 64, res2_channels = 256;
  int64_t groups = 1, group_width = 64;
  bool stride_in_1x1 = true;
  std::vector<int64_t> dla_channels = {16, 32, 64, 128, 256, 512};

  int64_t fpn_channels = 256;
  BlendMaskNorm fpn_norm = BlendMaskNorm::kNone;
  bool fpn_average = false;  // the mean of lateral and upper map instead of their sum

  // Heads: one set of convolutions on every level.
  int64_t top_levels = 2;                                            // p6 and p7
  std::vector<std::string> levels = {"p3", "p4", "p5", "p6", "p7"};  // fine to coarse
  std::vector<int64_t> strides = {8, 16, 32, 64, 128};               // of each level, in pixels
  BlendMaskNorm tower_norm = BlendMaskNorm::kGroup;
  int64_t tower_groups = 32;
  int64_t cls_convs = 4, box_convs = 4, share_convs = 0;
  bool scales = true;  // a learned factor per level on the box distances
  int64_t classes = 80;

  // Detections.
  bool threshold_with_centerness = false;
  float score_threshold = 0.05f;
  double nms_threshold = 0.6;    // <= 0: no suppression
  int64_t pre_nms_top_k = 1000;  // per level and picture
  int64_t post_nms_top_k = 100;  // per picture; <= 0: all

  // Bases and their blending.
  int64_t bases = 4;
  int64_t basis_channels = 128;
  int64_t basis_convs = 3;
  BlendMaskNorm basis_norm = BlendMaskNorm::kBatch;
  std::vector<std::string> basis_levels = {"p3", "p4", "p5"};  // the first gives the size
  int64_t attention_size = 14;
  bool nearest_attention = false;
  int64_t bottom_resolution = 56;
  bool aligned_pooler = true;  // ROIAlignV2; false: ROIAlign
  int64_t pooler_samples = 1;  // per bin and axis
  double pooler_scale = 0.25;

  bool fixed_size() const { return fixed_height > 0; }
  /// Channels of the top layer: one attention map per basis.
  int64_t attention_channels() const { return bases * attention_size * attention_size; }
};

/// Throws Error{kInput} naming file and key: values out of bounds, parts that do not fit each
/// other, and what is not supported (deformable convolutions, the panoptic head, other bodies,
/// pooling from several levels).
BlendMaskConfig ParseBlendMaskConfig(const Json& config);

}  // namespace vernier
