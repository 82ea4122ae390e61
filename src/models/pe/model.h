// The Perception Encoder's graph (vision tower, no pooling). Node names are the module paths of the
// original checkpoint; timm's spellings are aliases (names.cc).
#pragma once

#include "graph/graph.h"
#include "models/pe/config.h"

namespace vernier {

/// Input pixel_values [batch, 3, height, width]; output features [batch, 1 + patches, width], the
/// class token first. patch_features, feature_map and pooled_avg are there to be looked at.
Graph PeGraph(const PeConfig& config);

}  // namespace vernier
