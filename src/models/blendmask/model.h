// BlendMask's networks as graphs, named as AdelaiDet's modules. Every value that the published
// validation dumps has that dump's name as an alias: stem, res2 … res5 or level1 … level5, p3 … p7,
// basis_fused, bases, and per level cls_tower.p3, bbox_tower.p3, cls_logits.p3, bbox_reg.p3,
// ctrness.p3, top_feat.p3.
#pragma once

#include "graph/graph.h"
#include "models/blendmask/config.h"

namespace vernier {

struct BlendMaskOutputs {
  /// top_feat of every location, which only the published exports have. Detections need it where
  /// they are alone: at those, BlendMaskTopGraph computes it from bbox_tower.
  bool dense_top_features = false;
};

/// Input "input" [batch, 3, height, width]: normalised pictures padded to multiples of 32. Outputs:
/// bases, and per level cls_logits, bbox_reg (in strides, not negative), ctrness and bbox_tower,
/// or, dense, top_feat in its place.
Graph BlendMaskGraph(const BlendMaskConfig& config, const BlendMaskOutputs& outputs = {});

/// The top layer at chosen locations. Input "windows" [locations, 9 * channels]: the 3x3
/// neighbourhoods of bbox_tower, channel by channel, zeros beyond the map. Output "top_feat"
/// [locations, attention_channels].
Graph BlendMaskTopGraph(const BlendMaskConfig& config);

}  // namespace vernier
