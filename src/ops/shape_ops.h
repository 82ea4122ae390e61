// Data movement: Reshape, Transpose, Slice, Concat, Expand (ONNX semantics), Patchify and Reorder.
#pragma once

#include <vector>

#include "graph/layout.h"
#include "graph/op.h"

namespace vernier {

struct Reshape {
  Dims shape;
};
struct Transpose {
  std::vector<int> order;
};
/// Elements begin..begin+length of one axis.
struct Slice {
  int axis;
  Dim begin;
  Dim length;
};
struct Concat {
  int axis;
};
struct Expand {
  Dims shape;
};
/// [batch, channels, height, width] to [batch, rows*columns, channels*patch_height*patch_width]:
/// non-overlapping patches in row order; inside one, channel, then y, then x. A remainder at the
/// right or bottom is dropped, as a strided convolution without padding drops it.
struct Patchify {
  int64_t patch_height;
  int64_t patch_width;
};

/// The same map in another layout; inserted by the layout pass, not used by models.
struct Reorder {
  Layout to;
};

extern const OpDef kReshape;
extern const OpDef kTranspose;
extern const OpDef kSlice;
extern const OpDef kConcat;
extern const OpDef kExpand;
extern const OpDef kPatchify;
extern const OpDef kReorder;

}  // namespace vernier
