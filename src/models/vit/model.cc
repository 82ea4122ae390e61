#include "models/vit/model.h"

#include <cmath>

#include "models/names.h"
#include "nn/layers.h"

namespace vernier {
namespace {

// The table as stored, or its patch rows resampled to the image's grid; [1, 1 + patches, hidden].
Value VitPositions(Graph& graph, const Path& at, const VitConfig& c, const Dim& rows,
                   const Dim& columns, bool interpolate) {
  const int64_t patches = c.grid_rows() * c.grid_columns();
  const Value table =
      graph.Weight(at / "position_embeddings", Shape{1, 1 + patches, c.hidden_size});
  if (!interpolate) return table;
  const auto side = static_cast<int64_t>(std::sqrt(static_cast<double>(patches)));
  const Path place = at / "#positions";
  const Value token = nn::Slice(table, 1, 0, 1, place / "#token");
  Value grid = nn::Slice(table, 1, 1, patches, place / "#stored");
  grid = nn::Reshape(grid, {side, side, c.hidden_size}, place / "#grid");
  grid = graph.Add(kResizeGrid, Attributes::Of(ResizeGrid{GridResampling::kBicubic, rows, columns}),
                   {grid}, place / "#resized");
  grid = nn::Reshape(grid, {1, rows * columns, c.hidden_size}, place / "#rows");
  return nn::Concat({token, grid}, 1, place);
}

Value VitEmbeddings(Value pixels, const Path& at, const VitConfig& c, bool interpolate) {
  Graph& graph = *pixels.graph;
  const nn::PatchEmbedding patch{c.hidden_size, c.patch_height, c.patch_width, true};
  Value x =
      nn::PatchEmbed(pixels, patch, at / "patch_embeddings.projection", at / "patch_embeddings");
  const Value token = graph.Weight(at / "cls_token", Shape{1, 1, c.hidden_size});
  x = nn::PrependToken(token, x, at / "#tokens");
  const Dim rows = FloorDiv(pixels.dim(2), c.patch_height);
  const Dim columns = FloorDiv(pixels.dim(3), c.patch_width);
  return nn::Add(x, VitPositions(graph, at, c, rows, columns, interpolate), at);
}

Value VitAttention(Value x, const Path& at, const VitConfig& c) {
  const int64_t width = c.heads * c.head_dim;
  const Value q = nn::Linear(x, at / "attention.query", width, c.qkv_bias);
  const Value k = nn::Linear(x, at / "attention.key", width, c.qkv_bias);
  const Value v = nn::Linear(x, at / "attention.value", width, c.qkv_bias);
  const Attention attention{.heads = c.heads,
                            .kv_heads = c.heads,
                            .scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim))};
  nn::AttentionProbabilities(q, k, attention, at / "probs");
  const Value context = nn::Attention(q, k, v, attention, at / "context");
  return nn::Linear(context, at / "output.dense", c.hidden_size);
}

Value VitBlock(Value x, const Path& at, const VitConfig& c) {
  Value h = nn::LayerNorm(x, at / "layernorm_before", c.layer_norm_eps);
  x = nn::Add(x, VitAttention(h, at / "attention", c), at / "#residual");
  h = nn::LayerNorm(x, at / "layernorm_after", c.layer_norm_eps);
  h = nn::Linear(h, at / "intermediate.dense", c.intermediate_size);
  h = nn::Activate(h, c.activation, at / "intermediate");
  return nn::Add(x, nn::Linear(h, at / "output.dense", c.hidden_size), at);
}

}  // namespace

Graph VitGraph(const VitConfig& c, const VitGraphOptions& options) {
  Graph graph("vit");
  const Path root;
  const Dim batch = Dim::Symbol("batch");
  const bool any_size = options.interpolate_positions;
  const Dim height = any_size ? Dim::Symbol("height") : Dim(c.image_height);
  const Dim width = any_size ? Dim::Symbol("width") : Dim(c.image_width);
  const Value pixels = graph.Input("pixel_values", DType::kF32, {batch, c.channels, height, width});
  Value x = VitEmbeddings(pixels, root / "embeddings", c, any_size);
  for (int64_t i = 0; i < c.layers; ++i) {
    x = VitBlock(x, root / "encoder.layer" / static_cast<int>(i), c);
  }
  x = nn::LayerNorm(x, root / "layernorm", c.layer_norm_eps);
  graph.MarkOutput(x, "last_hidden_state");
  const Path token_place("#cls");
  const Value row = nn::Slice(x, 1, 0, 1, token_place / "#row");
  const Value token = nn::Reshape(row, {batch, c.hidden_size}, token_place);
  if (options.pooler) {
    const Value pooled = nn::Linear(token, root / "pooler.dense", c.pooler_size);
    graph.MarkOutput(nn::Activate(pooled, c.pooler_activation, root / "pooler"), "pooler_output");
  }
  if (options.classifier) {
    const auto labels = static_cast<int64_t>(c.labels.size());
    graph.MarkOutput(nn::Linear(token, root / "classifier", labels), "logits");
  }
  AddVitModuleAliases(graph, c.layers);
  return graph;
}

}  // namespace vernier
