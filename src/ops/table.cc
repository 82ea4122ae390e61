#include "ops/table.h"

#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/map_ops.h"
#include "ops/norm.h"
#include "ops/picture_grids.h"
#include "ops/resize_grid.h"
#include "ops/rope.h"
#include "ops/shape_ops.h"

namespace vernier {

std::span<const OpDef* const> AllOps() {
  static constexpr const OpDef* kOps[] = {
      &kActivation,     &kAttention,       &kBatchNorm,
      &kBinary,         &kCachedAttention, &kCast,
      &kConcat,         &kConstant,        &kConv2d,
      &kDistanceBias,   &kExpand,          &kFusedConv2d,
      &kFusedGroupNorm, &kFusedLinear,     &kGather,
      &kGridPositions,  &kGridRotary,      &kGridSegments,
      &kGroupNorm,      &kKvAppend,        &kLayerNorm,
      &kLinear,         &kMatMul,          &kMaxPool2d,
      &kMean,           &kMergeGrid,       &kMultimodalRopeTable,
      &kPatchify,       &kPlacePictures,   &kReorder,
      &kReshape,        &kResizeAdd,       &kResizeGrid,
      &kResizeMap,      &kRmsNorm,         &kRope,
      &kRopeTable2d,    &kRotaryAttention, &kSlice,
      &kSoftmax,        &kTranspose,       &kUnary,
  };
  return kOps;
}

const OpDef* FindOp(std::string_view name) {
  for (const OpDef* op : AllOps()) {
    if (name == op->name) return op;
  }
  return nullptr;
}

}  // namespace vernier
