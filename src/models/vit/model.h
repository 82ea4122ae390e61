// The Vision Transformer's graph. Node names are the module paths of the published checkpoint
// (transformers 4 spelling, without the "vit." prefix). Specification: the model page in docs/.
#pragma once

#include "graph/graph.h"
#include "models/vit/config.h"

namespace vernier {

struct VitGraphOptions {
  bool pooler = false;
  bool classifier = false;
  /// Accept any image size and resample the position table to its grid.
  bool interpolate_positions = false;
};

/// Input pixel_values [batch, channels, height, width]; outputs last_hidden_state [batch, tokens,
/// hidden] and, as asked for, pooler_output [batch, pooler] and logits [batch, labels].
Graph VitGraph(const VitConfig& config, const VitGraphOptions& options);

}  // namespace vernier
