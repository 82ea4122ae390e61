// Ops on maps [batch, channels, height, width] other than convolutions: MaxPool2d,
// ResizeMap, and ResizeAdd, which the passes make and models never use.
#pragma once

#include "graph/op.h"

namespace vernier {

/// torch.nn.functional.max_pool2d: what lies beyond the map is never the maximum.
struct MaxPool2d {
  int64_t kernel;
  int64_t stride;
  int64_t padding = 0;
  bool ceil_mode = false;  // a last window that begins within the map counts, too
};

enum class MapResampling {
  kNearest,   // source index floor(i * in / out)
  kBilinear,  // half-pixel centres: torch interpolate(mode="bilinear", align_corners=False)
};

struct ResizeMap {
  MapResampling resampling;
  Dim rows;
  Dim columns;
};

/// inputs: x, addend of the result's shape, added after resizing
struct ResizeAdd {
  ResizeMap resize;
};

extern const OpDef kMaxPool2d;
extern const OpDef kResizeMap;
extern const OpDef kResizeAdd;

}  // namespace vernier
