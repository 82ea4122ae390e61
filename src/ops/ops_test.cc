// Shape rules of every op.
#include <algorithm>
#include <vector>

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
#include "ops/table.h"
#include "support/op_types.h"

namespace vernier {
namespace {

using testing::F32;
using testing::Heads;
using testing::kBatch;
using testing::kHeight;

struct Fits {
  const OpDef* op;
  Attributes attributes;
  std::vector<ValueType> inputs;
  std::vector<ValueType> outputs;
};

std::vector<Fits> FittingCases() {
  const ValueType absent{};
  const ValueType segments{DType::kI32, {3}};
  return {
      {&kUnary, Attributes::Of(Unary{UnaryKind::kErf}), {F32({kBatch, 2})}, {F32({kBatch, 2})}},
      {&kActivation, Attributes::Of(ActivationOp{ActivationKind::kGelu}), {F32({})}, {F32({})}},
      {&kBinary,
       Attributes::Of(Binary{BinaryKind::kAdd}),
       {F32({kBatch, 1, 4}), F32({3, 1})},
       {F32({kBatch, 3, 4})}},
      {&kConstant, Attributes::Of(Constant{2}), {}, {F32({})}},
      {&kCast, Attributes::Of(Cast{DType::kBF16}), {F32({kBatch})}, {{DType::kBF16, {kBatch}}}},
      {&kLinear,
       Attributes::Of(Linear{}),
       {F32({kBatch, 7, 4}), F32({6, 4}), F32({6})},
       {F32({kBatch, 7, 6})}},
      {&kMatMul,
       Attributes::Of(MatMul{}),
       {F32({kBatch, 1, 5, 4}), F32({3, 4, 2})},
       {F32({kBatch, 3, 5, 2})}},
      {&kFusedLinear,
       Attributes::Of(FusedLinear{.parts = 2}),
       {F32({kBatch, 4}), F32({6, 4}), F32({2, 4}), absent, absent, absent, absent},
       {F32({kBatch, 8})}},
      {&kFusedLinear,
       Attributes::Of(FusedLinear{.parts = 2, .gated = true}),
       {F32({kBatch, 4}), F32({6, 4}), F32({6, 4}), absent, absent, absent, absent},
       {F32({kBatch, 6})}},
      {&kFusedLinear,
       Attributes::Of(FusedLinear{.norm = true, .eps = 1e-5}),
       {F32({kBatch, 4}), F32({6, 4}), absent, absent, absent, F32({6}), F32({6}), F32({6}),
        F32({6})},
       {F32({kBatch, 6})}},
      {&kLayerNorm,
       Attributes::Of(LayerNorm{1e-5}),
       {F32({kBatch, 4}), F32({4}), F32({4})},
       {F32({kBatch, 4})}},
      {&kRmsNorm, Attributes::Of(RmsNorm{1e-6}), {F32({kBatch, 4}), F32({4})}, {F32({kBatch, 4})}},
      {&kBatchNorm,
       Attributes::Of(BatchNorm{1e-5}),
       {F32({kBatch, 4, kHeight}), F32({4}), F32({4}), F32({4}), F32({4})},
       {F32({kBatch, 4, kHeight})}},
      {&kGroupNorm,
       Attributes::Of(GroupNorm{2, 1e-5}),
       {F32({kBatch, 4, kHeight, 3}), F32({4}), F32({4})},
       {F32({kBatch, 4, kHeight, 3})}},
      {&kFusedGroupNorm,
       Attributes::Of(FusedGroupNorm{.norm = {2, 1e-5}}),
       {F32({kBatch, 4, kHeight, 3}), F32({4}), F32({4})},
       {F32({kBatch, 4, kHeight, 3})}},
      {&kConv2d,
       Attributes::Of(Conv2d{.padding = 1}),
       {F32({kBatch, 4, kHeight, 5}), F32({6, 4, 3, 3}), F32({6})},
       {F32({kBatch, 6, kHeight, 5})}},
      {&kConv2d,
       Attributes::Of(Conv2d{.stride = 2, .padding = 3, .groups = 2}),
       {F32({kBatch, 4, kHeight * 2, 9}), F32({6, 2, 7, 7})},
       {F32({kBatch, 6, FloorDiv(kHeight * 2 - 1, 2) + 1, 5})}},
      {&kFusedConv2d,
       Attributes::Of(FusedConv2d{}),
       {F32({kBatch, 4, 5, 5}), F32({6, 4, 1, 1}), absent, F32({6}), F32({6}), F32({6}), F32({6}),
        F32({kBatch, 6, 5, 5})},
       {F32({kBatch, 6, 5, 5})}},
      {&kMaxPool2d,
       Attributes::Of(MaxPool2d{.kernel = 3, .stride = 2, .padding = 1}),
       {F32({kBatch, 4, 8, 9})},
       {F32({kBatch, 4, 4, 5})}},
      {&kMaxPool2d,
       Attributes::Of(MaxPool2d{.kernel = 2, .stride = 2, .ceil_mode = true}),
       {F32({kBatch, 4, 8, 9})},
       {F32({kBatch, 4, 4, 5})}},
      {&kResizeMap,
       Attributes::Of(ResizeMap{MapResampling::kBilinear, kHeight, 7}),
       {F32({kBatch, 4, 2, 3})},
       {F32({kBatch, 4, kHeight, 7})}},
      {&kReorder,
       Attributes::Of(Reorder{Layout::kChannelsLast}),
       {F32({kBatch, 4, kHeight, 3})},
       {F32({kBatch, 4, kHeight, 3})}},
      {&kResizeAdd,
       Attributes::Of(ResizeAdd{{MapResampling::kNearest, kHeight, 7}}),
       {F32({kBatch, 4, 2, 3}), F32({kBatch, 4, kHeight, 7})},
       {F32({kBatch, 4, kHeight, 7})}},
      {&kGather,
       Attributes::Of(Gather{}),
       {F32({9, 4}), {DType::kI32, {kBatch, 3}}},
       {F32({kBatch, 3, 4})}},
      {&kSoftmax, Attributes::Of(Softmax{}), {F32({kBatch, 4})}, {F32({kBatch, 4})}},
      {&kMean, Attributes::Of(Mean{-2}), {F32({kBatch, 4, 3})}, {F32({kBatch, 3})}},
      {&kReshape,
       Attributes::Of(Reshape{{kBatch * 2, 3}}),
       {F32({kBatch, 6})},
       {F32({kBatch * 2, 3})}},
      {&kTranspose,
       Attributes::Of(Transpose{{2, 0, 1}}),
       {F32({kBatch, 4, 3})},
       {F32({3, kBatch, 4})}},
      {&kSlice, Attributes::Of(Slice{-1, 2, 3}), {F32({kBatch, 5})}, {F32({kBatch, 3})}},
      {&kSlice, Attributes::Of(Slice{0, 0, kHeight}), {F32({kBatch})}, {F32({kHeight})}},
      {&kConcat,
       Attributes::Of(Concat{1}),
       {F32({kBatch, 1, 4}), F32({kBatch, kHeight, 4})},
       {F32({kBatch, kHeight + 1, 4})}},
      {&kExpand, Attributes::Of(Expand{{kBatch, 3, 4}}), {F32({3, 1})}, {F32({kBatch, 3, 4})}},
      {&kPatchify,
       Attributes::Of(Patchify{2, 3}),
       {F32({kBatch, 3, kHeight, 10})},
       {F32({kBatch, FloorDiv(kHeight, 2) * 3, 18})}},
      {&kResizeGrid,
       Attributes::Of(ResizeGrid{GridResampling::kBilinear, kHeight, 2}),
       {F32({4, 4, 8})},
       {F32({kHeight, 2, 8})}},
      {&kRope,
       Attributes::Of(Rope{2, true}),
       {F32({kBatch, 5, 16}), F32({5, 4}), F32({5, 4})},
       {F32({kBatch, 5, 16})}},
      {&kRopeTable2d,
       Attributes::Of(RopeTable2d{.rows = kHeight, .columns = 3, .head_dim = 8, .leading = 1}),
       {},
       {F32({kHeight * 3 + 1, 4}), F32({kHeight * 3 + 1, 4})}},
      {&kAttention,
       Attributes::Of(Heads(4, 2)),
       {F32({kBatch, 5, 16}), F32({kBatch, 7, 8}), F32({kBatch, 7, 8})},
       {F32({kBatch, 5, 16})}},
      {&kAttention,
       Attributes::Of(Heads(4, 4)),
       {F32({9, 16}), F32({9, 16}), F32({9, 16}), absent, segments},
       {F32({9, 16})}},
      {&kAttention,
       Attributes::Of(Heads(4, 4)),
       {F32({kBatch, 5, 16}), F32({kBatch, 7, 16}), F32({kBatch, 7, 16}), absent, absent,
        F32({kBatch, 7})},
       {F32({kBatch, 5, 16})}},
      {&kRotaryAttention,
       Attributes::Of(RotaryAttention{Heads(2, 2), false}),
       {F32({kBatch, 5, 16}), F32({kBatch, 5, 16}), F32({kBatch, 5, 16}), F32({5, 4}), F32({5, 4})},
       {F32({kBatch, 5, 16})}},
      {&kKvAppend,
       Attributes::Of(KvAppend{}),
       {F32({2, 64, 8}), F32({2, 3, 8}), F32({2, 3, 8})},
       {F32({2, 64, 8})}},
      {&kCachedAttention,
       Attributes::Of(CachedAttention{.heads = 4, .kv_heads = 2, .scale = 1}),
       {F32({2, 3, 16}), F32({2, 64, 8})},
       {F32({2, 3, 16})}},
      {&kCachedAttention,
       Attributes::Of(CachedAttention{.heads = 4, .kv_heads = 2, .scale = 1}),
       {F32({5, 3, 16}), F32({2, 64, 8}), F32({4, 64}), {DType::kI32, {5}}},
       {F32({5, 3, 16})}},
      {&kDistanceBias,
       Attributes::Of(DistanceBias{.max_distance = 128, .capacity = kBatch}),
       {F32({32, 4})},
       {F32({4, kBatch})}},
      {&kGridPositions,
       Attributes::Of(GridPositions{kBatch}),
       {F32({3, 5, 8}), {DType::kI32, {2, 3}}},
       {F32({kBatch, 8})}},
      {&kGridRotary,
       Attributes::Of(GridRotary{kBatch, 12, 100.0}),
       {{DType::kI32, {2, 3}}},
       {F32({kBatch, 6}), F32({kBatch, 6})}},
      {&kGridSegments,
       Attributes::Of(GridSegments{kHeight}),
       {{DType::kI32, {kBatch, 3}}},
       {{DType::kI32, {kBatch + 1}}}},
      {&kMergeGrid,
       Attributes::Of(MergeGrid{2}),
       {F32({kBatch, 5}), {DType::kI32, {2, 3}}},
       {F32({FloorDiv(kBatch, 4), 20})}},
      {&kMultimodalRopeTable,
       Attributes::Of(MultimodalRopeTable{12, 100.0, {1, 2, 3}}),
       {{DType::kI32, {3, kBatch, 7}}},
       {F32({kBatch, 7, 6}), F32({kBatch, 7, 6})}},
      {&kPlacePictures,
       Attributes::Of(PlacePictures{9, ""}),
       {F32({kBatch, 7, 4}), {DType::kI32, {kBatch, 7}}, F32({kHeight, 4})},
       {F32({kBatch, 7, 4})}},
      {&kRope,
       Attributes::Of(Rope{.heads = 2, .interleaved = false}),
       {F32({7, 16}), F32({7, 4}), F32({7, 4})},
       {F32({7, 16})}},
      {&kRope,
       Attributes::Of(Rope{.heads = 2, .interleaved = false}),
       {F32({kBatch, 7, 16}), F32({kBatch, 7, 4}), F32({kBatch, 7, 4})},
       {F32({kBatch, 7, 16})}},
  };
}

TEST(Ops, GiveTheShapesThatTheyDocument) {
  for (const Fits& fits : FittingCases()) {
    SCOPED_TRACE(fits.op->name);
    const auto results = fits.op->infer(fits.attributes, fits.inputs);
    ASSERT_EQ(results.size(), fits.outputs.size());
    for (size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(results[i].dtype, fits.outputs[i].dtype);
      EXPECT_EQ(ToString(results[i].shape), ToString(fits.outputs[i].shape));
    }
  }
}

TEST(Ops, OfTheTableAllHaveAShapeCase) {
  const auto cases = FittingCases();
  for (const OpDef* op : AllOps()) {
    const bool covered = std::ranges::any_of(cases, [&](const Fits& c) { return c.op == op; });
    EXPECT_TRUE(covered) << op->name << " has no case in FittingCases";
    EXPECT_EQ(FindOp(op->name), op);
  }
  EXPECT_EQ(FindOp("Conv"), nullptr);
}

TEST(Ops, DescribeTheirAttributes) {
  for (const Fits& fits : FittingCases()) {
    if (fits.op->describe == nullptr) continue;
    EXPECT_NE(fits.op->describe(fits.attributes), "") << fits.op->name;
  }
  EXPECT_EQ(kSlice.describe(Attributes::Of(Slice{1, 0, kHeight})),
            "axis=1, begin=0, length=height");
  EXPECT_EQ(kAttention.describe(Attributes::Of(Heads(4, 2))), "heads=4, kv_heads=2, scale=1");
}

}  // namespace
}  // namespace vernier
