#include "models/pix2struct/encoder.h"

#include <fmt/format.h>

#include "models/names.h"
#include "nn/layers.h"

namespace vernier {
namespace {

// Both position tables are learned and looked up by the ids that stand before a patch's pixels.
Value Embeddings(Value patches, const Path& at, const Pix2StructVisionConfig& c) {
  const Dims ids = {patches.dim(0), patches.dim(1)};
  const auto column = [&](int64_t index, const char* name) {
    const Value one = nn::Slice(patches, 2, index, 1, at / name / "#column");
    return nn::Reshape(one, ids, at / name);
  };
  const Value rows =
      nn::Embedding(column(0, "#row_ids"), at / "row_embedder", c.seq_len, c.hidden_size);
  const Value columns =
      nn::Embedding(column(1, "#column_ids"), at / "column_embedder", c.seq_len, c.hidden_size);
  const Value pixels = nn::Slice(patches, 2, 2, c.patch_width, at / "#pixels");
  Value x = nn::Linear(pixels, at / "patch_projection", c.hidden_size);
  x = nn::Add(x, rows, at / "#with_rows");
  return nn::Add(x, columns, at);
}

// Scores are not divided by the root of the head's width.
Value SelfAttention(Value x, Value mask, const Path& at, const Pix2StructVisionConfig& c) {
  const Value q = nn::Linear(x, at / "query", c.attention_width(), false);
  const Value k = nn::Linear(x, at / "key", c.attention_width(), false);
  const Value v = nn::Linear(x, at / "value", c.attention_width(), false);
  const Attention attention{.heads = c.heads, .kv_heads = c.heads, .scale = 1.0};
  const Value context = nn::MaskedAttention(q, k, v, mask, attention, at / "#context");
  return nn::Linear(context, at / "output", c.hidden_size, false);
}

Value Block(Value x, Value mask, const Path& at, const Pix2StructVisionConfig& c) {
  Value h = nn::RmsNorm(x, at / "pre_attention_layer_norm", c.layer_norm_eps);
  x = nn::Add(x, SelfAttention(h, mask, at / "attention", c), at / "#residual");
  h = nn::RmsNorm(x, at / "pre_mlp_layer_norm", c.layer_norm_eps);
  return nn::Add(x, nn::GatedMlp(h, at / "mlp", {c.d_ff, c.hidden_size}, c.activation), at);
}

}  // namespace

Graph Pix2StructEncoderGraph(const Pix2StructConfig& config) {
  const Pix2StructVisionConfig& c = config.vision;
  Graph graph("pix2struct_encoder");
  const Path root("encoder");
  const Dim batch = Dim::Symbol("batch"), patches = Dim::Symbol("patches");
  const Value flattened =
      graph.Input("flattened_patches", DType::kF32, {batch, patches, 2 + c.patch_width});
  const Value mask = graph.Input("attention_mask", DType::kF32, {batch, patches});
  Value x = Embeddings(flattened, root / "embeddings", c);
  graph.AddAlias(x, "encoder_hidden[0]");
  for (int i = 0; i < static_cast<int>(c.layers); ++i) {
    x = Block(x, mask, root / "encoder.layer" / i, c);
    graph.AddAlias(x, fmt::format("encoder_hidden[{}]", i + 1));
  }
  x = nn::RmsNorm(x, root / "layernorm", c.layer_norm_eps);
  graph.AddAlias(x, "encoder_last");
  graph.MarkOutput(x, "encoder_last_hidden_state");
  AddPix2StructEncoderModuleAliases(graph, c.layers);
  return graph;
}

}  // namespace vernier
