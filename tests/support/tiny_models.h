// Configurations of the model families, small enough to run in milliseconds with random weights.
#pragma once

#include "models/pe/model.h"
#include "models/vit/model.h"

namespace vernier::testing {

/// 26 tokens, two layers, five heads of 8.
inline VitConfig TinyVitConfig() {
  VitConfig config;
  config.hidden_size = config.pooler_size = 40;
  config.layers = 2;
  config.heads = 5;
  config.head_dim = 8;
  config.intermediate_size = 72;
  config.image_height = config.image_width = 20;
  config.patch_height = config.patch_width = 4;
  config.labels = {"a", "b", "c"};
  return config;
}

inline Graph TinyVitGraph() {
  return VitGraph(TinyVitConfig(), {.pooler = true, .classifier = true});
}

/// 17 tokens at its native grid, two layers, three heads of 16.
inline Graph TinyPeGraph() {
  PeConfig config;
  config.image_height = config.image_width = 16;
  config.patch_size = 4;
  config.width = 48;
  config.layers = 2;
  config.heads = 3;
  config.mlp_width = 80;
  return PeGraph(config);
}

inline Extents TinyVitExtents() { return {{"batch", 2}}; }
inline Extents TinyPeExtents() { return {{"batch", 2}, {"height", 16}, {"width", 16}}; }

}  // namespace vernier::testing
