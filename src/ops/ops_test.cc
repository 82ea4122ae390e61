// Shape rules and messages of every op, and what FLOPs count.
#include "graph/graph.h"
#include "models/blendmask/model.h"
#include "models/pe/model.h"
#include "models/vit/model.h"
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
#include "vernier/error.h"

namespace vernier {
namespace {

const Dim kBatch = Dim::Symbol("batch");
const Dim kHeight = Dim::Symbol("height");

ValueType F32(Dims shape) { return {DType::kF32, std::move(shape)}; }

struct Fits {
  const OpDef* op;
  Attributes attributes;
  std::vector<ValueType> inputs;
  std::vector<ValueType> outputs;
};

struct Refused {
  const OpDef* op;
  Attributes attributes;
  std::vector<ValueType> inputs;
  const char* message;
};

FusedLinear TwoParts() { return {.parts = 2}; }

Attention Heads(int heads, int kv_heads) {
  return {.heads = heads, .kv_heads = kv_heads, .scale = 1.0};
}

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
       Attributes::Of(TwoParts()),
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

std::vector<Refused> RefusedCases() {
  const ValueType absent{};
  const ValueType x = F32({kBatch, 4}), tokens = F32({2, 5, 16});
  return {
      {&kBinary,
       Attributes::Of(Binary{BinaryKind::kAdd}),
       {x, F32({3})},
       "shapes [batch, 4] and [3] do not broadcast"},
      {&kLinear,
       Attributes::Of(Linear{}),
       {F32({}), F32({6, 4})},
       "the input must have 1 to 8 dimensions, got []"},
      {&kLinear,
       Attributes::Of(Linear{}),
       {x, F32({6})},
       "the weight must have 2 dimensions, got [6]"},
      {&kLinear,
       Attributes::Of(Linear{}),
       {x, F32({6, 5})},
       "the weight's input width is 5, expected 4"},
      {&kLinear,
       Attributes::Of(Linear{}),
       {x, F32({6, 4}), F32({5})},
       "the bias's width is 5, expected 6"},
      {&kMatMul,
       Attributes::Of(MatMul{}),
       {F32({4}), x},
       "the left factor must have 2 to 8 dimensions, got [4]"},
      {&kMatMul,
       Attributes::Of(MatMul{}),
       {x, F32({5, 4})},
       "the right factor's height is 5, expected 4"},
      {&kFusedLinear,
       Attributes::Of(TwoParts()),
       {x, F32({6, 4}), F32({2, 4})},
       "the number of inputs is 3, expected 7"},
      {&kFusedLinear,
       Attributes::Of(FusedLinear{.parts = 2, .gated = true}),
       {x, F32({6, 4}), F32({2, 4}), {}, {}, {}, {}},
       "the gated width is 2, expected 6"},
      {&kLayerNorm,
       Attributes::Of(LayerNorm{0}),
       {x, F32({5}), F32({4})},
       "the gain's width is 5, expected 4"},
      {&kLayerNorm,
       Attributes::Of(LayerNorm{0}),
       {x, F32({4}), F32({1, 4})},
       "the bias must have 1 dimension, got [1, 4]"},
      {&kRmsNorm, Attributes::Of(RmsNorm{0}), {x, F32({5})}, "the gain's width is 5, expected 4"},
      {&kGather,
       Attributes::Of(Gather{}),
       {F32({4}), {DType::kI32, {2}}},
       "the table must have 2 to 8 dimensions, got [4]"},
      {&kGather,
       Attributes::Of(Gather{}),
       {x, {DType::kBF16, {2}}},
       "the ids must be i32, i64 or f32, got bf16"},
      {&kSoftmax,
       Attributes::Of(Softmax{}),
       {F32({})},
       "the input must have 1 to 8 dimensions, got []"},
      {&kMean, Attributes::Of(Mean{2}), {x}, "axis 2 of a value with 2 dimensions"},
      {&kMean, Attributes::Of(Mean{-3}), {x}, "axis -3 of a value with 2 dimensions"},
      {&kReshape,
       Attributes::Of(Reshape{{kBatch, 5}}),
       {x},
       "cannot reshape [batch, 4] to [batch, 5]"},
      {&kTranspose, Attributes::Of(Transpose{{0, 0}}), {x}, "[0, 0] does not permute [batch, 4]"},
      {&kTranspose, Attributes::Of(Transpose{{0}}), {x}, "[0] does not permute [batch, 4]"},
      {&kSlice, Attributes::Of(Slice{1, 2, 3}), {x}, "slice 2..5 of axis 1 with 4 elements"},
      {&kSlice, Attributes::Of(Slice{1, -1, 3}), {x}, "slice -1..2 of axis 1 with 4 elements"},
      {&kSlice, Attributes::Of(Slice{1, 2, -1}), {x}, "slice 2..1 of axis 1 with 4 elements"},
      {&kConcat,
       Attributes::Of(Concat{0}),
       {x, F32({1, 5})},
       "a concatenated value's dimension is 5, expected 4"},
      {&kConcat,
       Attributes::Of(Concat{0}),
       {x, F32({4})},
       "each concatenated value must have 2 dimensions, got [4]"},
      {&kExpand,
       Attributes::Of(Expand{{kBatch, 1}}),
       {x},
       "cannot expand [batch, 4] to [batch, 1]"},
      {&kAttention,
       Attributes::Of(Heads(2, 2)),
       {tokens, tokens, tokens, {}, {}, F32({2, 4})},
       "the number of visible keys is 4, expected 5"},
      {&kAttention,
       Attributes::Of(Heads(2, 2)),
       {tokens, tokens, tokens, F32({1, 5, 5}), {}, F32({2, 5})},
       "a choice of visible keys goes with neither segments, bias nor causal mask"},
      {&kPatchify,
       Attributes::Of(Patchify{2, 2}),
       {x},
       "the image tensor must have 4 dimensions, got [batch, 4]"},
      {&kResizeGrid,
       Attributes::Of(ResizeGrid{GridResampling::kBicubic, 2, 2}),
       {x},
       "the grid must have 3 dimensions, got [batch, 4]"},
      {&kRope,
       Attributes::Of(Rope{2, true}),
       {tokens, F32({4, 4}), F32({5, 4})},
       "the tables' token count is 4, expected 5"},
      {&kRope,
       Attributes::Of(Rope{2, true}),
       {tokens, F32({5, 4}), F32({5, 3})},
       "the tables' width is 12, expected 16"},
      {&kRopeTable2d,
       Attributes::Of(RopeTable2d{.rows = 1, .columns = 1, .head_dim = 6}),
       {},
       "two-dimensional rotary positions need a head width that 4 divides, got 6"},
      {&kAttention,
       Attributes::Of(Heads(4, 3)),
       {tokens, tokens, tokens},
       "4 attention heads cannot share 3 key-value heads"},
      {&kAttention,
       Attributes::Of(Heads(0, 1)),
       {tokens, tokens, tokens},
       "0 attention heads cannot share 1 key-value heads"},
      {&kAttention,
       Attributes::Of(Heads(3, 3)),
       {tokens, tokens, tokens},
       "16 channels do not divide into 3 heads"},
      {&kAttention,
       Attributes::Of(Heads(4, 2)),
       {tokens, tokens, tokens},
       "the key's width is 16, expected 8"},
      {&kAttention,
       Attributes::Of(Heads(4, 4)),
       {tokens, tokens, F32({2, 6, 16})},
       "the number of values is 6, expected 5"},
      {&kAttention,
       Attributes::Of(Heads(4, 4)),
       {F32({9, 16}), F32({9, 16}), F32({9, 16})},
       "packed queries [tokens, channels] come with segments, batched ones without"},
      {&kAttention,
       Attributes::Of(Heads(4, 4)),
       {tokens, F32({3, 5, 16}), F32({3, 5, 16})},
       "the keys' batch is 3, expected 2"},
      {&kRotaryAttention,
       Attributes::Of(RotaryAttention{Heads(4, 4), true}),
       {tokens, tokens, tokens, F32({4, 2}), F32({4, 2})},
       "the tables' token count is 4, expected 5"},
      {&kRotaryAttention,
       Attributes::Of(RotaryAttention{Heads(4, 4), true}),
       {tokens, tokens, tokens, F32({5, 2}), F32({5, 3})},
       "the tables' width is 24, expected 16"},
      {&kRotaryAttention,
       Attributes::Of(RotaryAttention{Heads(4, 4), true}),
       {tokens, F32({2, 6, 16}), F32({2, 6, 16}), F32({5, 2}), F32({5, 2})},
       "the number of keys is 6, expected 5"},
      {&kKvAppend,
       Attributes::Of(KvAppend{}),
       {F32({2, 64, 8}), F32({3, 1, 8}), F32({2, 1, 8})},
       "rows of new keys and values is 3, expected 2"},
      {&kCachedAttention,
       Attributes::Of(CachedAttention{.heads = 4, .kv_heads = 2, .scale = 1}),
       {tokens, F32({2, 64, 16})},
       "the state's width is 16, expected 8"},
      {&kCachedAttention,
       Attributes::Of(CachedAttention{.heads = 2, .kv_heads = 2, .scale = 1}),
       {tokens, F32({3, 64, 16})},
       "the number of the state's rows is 3, expected 2"},
      {&kCachedAttention,
       Attributes::Of(CachedAttention{.heads = 2, .kv_heads = 2, .scale = 1}),
       {tokens, F32({3, 64, 16}), {DType::kF32, {}}, F32({2})},
       "the slots must be i32, got f32"},
      {&kCachedAttention,
       Attributes::Of(CachedAttention{.heads = 2, .kv_heads = 2, .scale = 1}),
       {tokens, F32({2, 64, 16}), F32({2, 32})},
       "the bias's distances is 32, expected 64"},
      {&kConv2d,
       Attributes::Of(Conv2d{}),
       {F32({2, 4, 5}), F32({6, 4, 3, 3})},
       "the map must have 4 dimensions, got [2, 4, 5]"},
      {&kConv2d,
       Attributes::Of(Conv2d{}),
       {F32({2, 4, 5, 5}), F32({6, 3, 3, 3})},
       "the weight's input channels is 3, expected 4"},
      {&kConv2d,
       Attributes::Of(Conv2d{.groups = 2}),
       {F32({2, 4, 5, 5}), F32({5, 2, 3, 3})},
       "the groups' output channels is 4, expected 5"},
      {&kConv2d,
       Attributes::Of(Conv2d{}),
       {F32({2, 4, 5, 5}), F32({6, 4, 3, 3}), F32({5})},
       "the bias's width is 5, expected 6"},
      {&kFusedConv2d,
       Attributes::Of(FusedConv2d{}),
       {F32({2, 4, 5, 5}), F32({6, 4, 1, 1}), F32({4}), absent, absent, absent, absent, absent},
       "a channel vector's width is 4, expected 6"},
      {&kFusedConv2d,
       Attributes::Of(FusedConv2d{}),
       {F32({2, 4, 5, 5}), F32({6, 4, 1, 1}), absent, absent, absent, absent, absent,
        F32({2, 6, 5, 4})},
       "the residual is [2, 6, 5, 4], expected [2, 6, 5, 5]"},
      {&kFusedGroupNorm,
       Attributes::Of(FusedGroupNorm{.norm = {2, 1e-5}}),
       {F32({2, 4, 5, 5}), F32({4}), F32({3})},
       "a channel vector's width is 3, expected 4"},
      {&kResizeAdd,
       Attributes::Of(ResizeAdd{{MapResampling::kNearest, 5, 7}}),
       {F32({2, 4, 2, 3}), F32({2, 4, 5, 6})},
       "the addend's extent is 6, expected 7"},
      {&kBatchNorm,
       Attributes::Of(BatchNorm{1e-5}),
       {F32({2, 4, 5}), F32({4}), F32({4}), F32({4}), F32({3})},
       "a channel vector's width is 3, expected 4"},
      {&kGroupNorm,
       Attributes::Of(GroupNorm{3, 1e-5}),
       {F32({2, 4, 5}), F32({4}), F32({4})},
       "the groups' channels is 3, expected 4"},
      {&kMaxPool2d,
       Attributes::Of(MaxPool2d{.kernel = 3, .stride = 2}),
       {F32({4, 5, 5})},
       "the map must have 4 dimensions, got [4, 5, 5]"},
      {&kResizeMap,
       Attributes::Of(ResizeMap{MapResampling::kNearest, 4, 4}),
       {F32({4, 5, 5})},
       "the map must have 4 dimensions, got [4, 5, 5]"},
      {&kDistanceBias,
       Attributes::Of(DistanceBias{.max_distance = 16, .capacity = 64}),
       {F32({32, 4})},
       "32 buckets cannot cover 16 distances"},
      {&kGridPositions,
       Attributes::Of(GridPositions{kBatch}),
       {F32({9, 8}), {DType::kI32, {2, 3}}},
       "the table must have 3 dimensions, got [9, 8]"},
      {&kGridSegments,
       Attributes::Of(GridSegments{kBatch}),
       {{DType::kI32, {2, 2}}},
       "the numbers of a grid (frames, rows, columns) is 2, expected 3"},
      {&kGridSegments,
       Attributes::Of(GridSegments{kBatch}),
       {F32({2, 3})},
       "the grids must be i32, got f32"},
      {&kGridRotary,
       Attributes::Of(GridRotary{kBatch, 10, 100.0}),
       {{DType::kI32, {2, 3}}},
       "axial rotary positions need a head width that 4 divides, got 10"},
      {&kMultimodalRopeTable,
       Attributes::Of(MultimodalRopeTable{12, 100.0, {1, 2, 2}}),
       {{DType::kI32, {3, 1, 7}}},
       "sections of 5 pairs together do not make a head of width 12"},
      {&kMultimodalRopeTable,
       Attributes::Of(MultimodalRopeTable{12, 100.0, {1, 2, 3}}),
       {{DType::kI32, {2, 1, 7}}},
       "the positions of a token (time, row, column) is 2, expected 3"},
      {&kMultimodalRopeTable,
       Attributes::Of(MultimodalRopeTable{12, 100.0, {1, 2, 3}}),
       {F32({3, 1, 7})},
       "the positions must be i32, got f32"},
      {&kPlacePictures,
       Attributes::Of(PlacePictures{9, ""}),
       {F32({2, 7, 4}), {DType::kI32, {2, 6}}, F32({3, 4})},
       "the number of ids is 6, expected 7"},
      {&kPlacePictures,
       Attributes::Of(PlacePictures{9, ""}),
       {F32({2, 7, 4}), {DType::kI32, {2, 7}}, F32({3, 5})},
       "the width of the pictures' rows is 5, expected 4"},
      {&kPlacePictures,
       Attributes::Of(PlacePictures{9, ""}),
       {F32({2, 7, 4}), F32({2, 7}), F32({3, 4})},
       "the ids must be i32, got f32"},
      {&kRope,
       Attributes::Of(Rope{.heads = 2, .interleaved = false}),
       {F32({2, 7, 16}), F32({3, 7, 4}), F32({3, 7, 4})},
       "the tables' batch is 3, expected 2"},
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

TEST(Ops, SayWhatDoesNotFit) {
  for (const Refused& refused : RefusedCases()) {
    SCOPED_TRACE(refused.op->name);
    try {
      refused.op->infer(refused.attributes, refused.inputs);
      ADD_FAILURE() << "accepted, expected: " << refused.message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_EQ(error.message(), refused.message);
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

// Published by torch's counter for the modules themselves; the counter, too, counts only products.
TEST(Flops, OfVitBase16AreThePublishedFigure) {
  const Graph graph = VitGraph(VitConfig{}, {.pooler = true});
  EXPECT_EQ(graph.Flops().Evaluate({{"batch", 1}}), 35'127'300'096);
}

// Multiply-adds from the shapes of AdelaiDet's own modules (specification of the family, section
// 10), with the top layer everywhere and, at 640x640, without it.
TEST(Flops, OfBlendMaskAreThoseOfItsModules) {
  const auto macs = [](const BlendMaskConfig& config, int64_t height, int64_t width, bool dense) {
    const Graph graph = BlendMaskGraph(config, {.dense_top_features = dense});
    return graph.Flops().Evaluate({{"batch", 1}, {"height", height}, {"width", width}}) / 2e9;
  };
  BlendMaskConfig r50;
  r50.scales = false;
  EXPECT_NEAR(macs(r50, 640, 640, true), 104.364, 5e-4);
  EXPECT_NEAR(macs(r50, 800, 1344, true), 274.116, 5e-4);
  EXPECT_NEAR(macs(r50, 640, 640, false), 104.364 - 15.40, 5e-3);
  BlendMaskConfig dla = r50;
  dla.body = BlendMaskBody::kDla34;
  dla.top_levels = 0;
  dla.levels = {"p3", "p4", "p5"};
  dla.strides = {8, 16, 32};
  EXPECT_NEAR(macs(dla, 640, 640, true), 95.848, 5e-4);
  BlendMaskConfig lite = r50;
  lite.stride_in_1x1 = false;
  lite.stem_channels = 32;
  lite.res2_channels = 128;
  lite.group_width = 32;
  lite.fpn_channels = 128;
  lite.cls_convs = lite.box_convs = 2;
  lite.basis_channels = 64;
  lite.basis_convs = 2;
  EXPECT_NEAR(macs(lite, 640, 640, true), 25.810, 5e-4);
}

TEST(Flops, OfPeLangLargeAreThePublishedFigure) {
  const Graph graph = PeGraph(PeConfig{});
  const Extents extents = {{"batch", 1}, {"height", 448}, {"width", 448}};
  EXPECT_EQ(graph.Flops().Evaluate(extents), 693'494'706'176);
}

}  // namespace
}  // namespace vernier
