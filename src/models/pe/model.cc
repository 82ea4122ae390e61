#include "models/pe/model.h"

#include <cmath>

#include "models/names.h"
#include "nn/layers.h"

namespace vernier {
namespace {

struct PeGrid {
  Dim rows;
  Dim columns;
};

struct PeRotary {
  Value cosines;
  Value sines;
};

// [1 + patches, width]: the stored table's patch rows resampled to the image's grid.
Value PePositions(Graph& graph, const PeConfig& c, const PeGrid& grid) {
  const int64_t patches = c.grid_rows() * c.grid_columns();
  const Value table = graph.Weight(Path("positional_embedding"), Shape{1 + patches, c.width});
  const Path at("#positions");
  const GridResampling resampling = c.semantics == PeSemantics::kTimm
                                        ? GridResampling::kBicubicAntialias
                                        : GridResampling::kBilinear;
  const Value token = nn::Slice(table, 0, 0, 1, at / "#token");
  Value rows = nn::Slice(table, 0, 1, patches, at / "#stored");
  rows = nn::Reshape(rows, {c.grid_rows(), c.grid_columns(), c.width}, at / "#grid");
  rows = graph.Add(kResizeGrid, Attributes::Of(ResizeGrid{resampling, grid.rows, grid.columns}),
                   {rows}, at / "#resized");
  rows = nn::Reshape(rows, {grid.rows * grid.columns, c.width}, at / "#rows");
  return nn::Concat({token, rows}, 0, at);
}

// The class token has angle 0; patches count from 1 in both directions because it is there.
PeRotary PeRotaryTables(Graph& graph, const PeConfig& c, const PeGrid& grid) {
  const RopeTable2d table{.rows = grid.rows,
                          .columns = grid.columns,
                          .head_dim = c.head_dim(),
                          .leading = 1,
                          .offset = 1,
                          .reference_rows = c.reference_rows,
                          .reference_columns = c.reference_columns};
  const auto tables = graph.AddMany(kRopeTable2d, Attributes::Of(table), {}, Path("rope"));
  return {tables[0], tables[1]};
}

Value PeAttention(Value x, const Path& at, const PeConfig& c, const PeRotary& rotary) {
  const Value qkv =
      nn::LinearWith(x, at / "in_proj_weight", at / "in_proj_bias", at / "in_proj", 3 * c.width);
  const auto third = [&](int i, const char* name) {
    return nn::Slice(qkv, 2, c.width * i, c.width, at / name);
  };
  const Rope rope{.heads = c.heads, .interleaved = true};
  const Value q =
      nn::Rotate(third(0, "#query"), rotary.cosines, rotary.sines, rope, at / "#query_rotated");
  const Value k =
      nn::Rotate(third(1, "#key"), rotary.cosines, rotary.sines, rope, at / "#key_rotated");
  nn::HeadsFirst(q, c.heads, at / "q_rotated");
  nn::HeadsFirst(k, c.heads, at / "k_rotated");
  const Attention attention{.heads = c.heads,
                            .kv_heads = c.heads,
                            .scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim()))};
  const Value context = nn::Attention(q, k, third(2, "#value"), attention, at / "out_proj.input");
  return nn::Linear(context, at / "out_proj", c.width);
}

Value PeBlock(Value x, const Path& at, const PeConfig& c, const PeRotary& rotary) {
  Value h = nn::LayerNorm(x, at / "ln_1", c.layer_norm_eps);
  h = PeAttention(h, at / "attn", c, rotary);
  x = nn::Add(x, nn::LayerScale(h, at / "ls_1.gamma", at / "ls_1"), at / "#residual");
  h = nn::LayerNorm(x, at / "ln_2", c.layer_norm_eps);
  h = nn::Linear(h, at / "mlp.c_fc", c.mlp_width);
  h = nn::Activate(h, ActivationKind::kGelu, at / "mlp.gelu");
  h = nn::Linear(h, at / "mlp.c_proj", c.width);
  return nn::Add(x, nn::LayerScale(h, at / "ls_2.gamma", at / "ls_2"), at);
}

// Other published forms of the output, only for looking at.
void PeViews(Value features, const PeConfig& c, const PeGrid& grid) {
  const Dim batch = features.dim(0), patches = grid.rows * grid.columns;
  const Value tokens = nn::Slice(features, 1, 1, patches, Path("patch_features"));
  const Value by_channel = nn::Transpose(tokens, {0, 2, 1}, Path("#by_channel"));
  nn::Reshape(by_channel, {batch, c.width, grid.rows, grid.columns}, Path("feature_map"));
  nn::Mean(tokens, 1, Path("pooled_avg"));
}

// timm's dynamic models keep rows and columns of patches apart until they add the positions, and so
// their module's output has four dimensions.
Value PatchTokens(Value pixels, const PeConfig& c, const PeGrid& grid) {
  const nn::PatchEmbedding patch{c.width, c.patch_size, c.patch_size, false};
  const bool apart = c.semantics == PeSemantics::kTimm && c.dynamic_image_size;
  const Path module("patch_embed");
  const Value tokens =
      nn::PatchEmbed(pixels, patch, Path("conv1"), apart ? module / "#tokens" : module);
  if (apart) nn::Reshape(tokens, {pixels.dim(0), grid.rows, grid.columns, c.width}, module);
  return tokens;
}

}  // namespace

Graph PeGraph(const PeConfig& c) {
  Graph graph("pe");
  const Path root;
  const Dim batch = Dim::Symbol("batch");
  const Dim height = c.dynamic_image_size ? Dim::Symbol("height") : Dim(c.image_height);
  const Dim width = c.dynamic_image_size ? Dim::Symbol("width") : Dim(c.image_width);
  const Value pixels = graph.Input("pixel_values", DType::kF32, {batch, 3, height, width});
  const PeGrid grid{FloorDiv(height, c.patch_size), FloorDiv(width, c.patch_size)};
  const PeRotary rotary = PeRotaryTables(graph, c, grid);
  Value x = PatchTokens(pixels, c, grid);
  const Value token = graph.Weight(root / "class_embedding", Shape{1, 1, c.width}, Shape{c.width});
  x = nn::PrependToken(token, x, root / "#tokens");
  x = nn::Add(x, PePositions(graph, c, grid), root / "ln_pre.input");
  x = nn::LayerNorm(x, root / "ln_pre", c.layer_norm_eps);
  for (int64_t i = 0; i < c.layers; ++i) {
    x = PeBlock(x, root / "transformer.resblocks" / static_cast<int>(i), c, rotary);
  }
  graph.MarkOutput(x, "features");
  PeViews(x, c, grid);
  AddPeModuleAliases(graph, c.layers);
  return graph;
}

}  // namespace vernier
