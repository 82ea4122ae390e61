#include <cmath>

#include "models/names.h"
#include "models/paddleocr_vl/model.h"
#include "models/paddleocr_vl/projector.h"
#include "nn/layers.h"
#include "ops/picture_grids.h"

namespace vernier {
namespace {

class VisionEncoder {
 public:
  VisionEncoder(Graph& graph, const PaddleOcrVlVisionConfig& config, Value grids,
                const Dim& patches)
      : graph_(graph), c_(config), grids_(grids) {
    segments_ = graph.Add(kGridSegments, Attributes::Of(GridSegments{patches}), {grids},
                          root_ / "#segments");
    const Path at = root_ / "encoder.rotary_pos_emb";
    const GridRotary rotary{patches, c_.head_dim(), c_.rope_theta};
    const auto tables = graph.AddMany(kGridRotary, Attributes::Of(rotary), {grids}, at);
    cosines_ = tables[0];
    sines_ = tables[1];
    // As published, for both halves of a head; only for looking at.
    nn::Concat({cosines_, cosines_}, 1, at / "cos");
    nn::Concat({sines_, sines_}, 1, at / "sin");
  }

  Value Run(Value pixels) const {
    Value x = Embeddings(pixels);
    for (int i = 0; i < static_cast<int>(c_.layers); ++i) {
      x = Layer(x, root_ / "encoder.layers" / i);
    }
    return nn::LayerNorm(x, root_ / "post_layernorm", c_.layer_norm_eps);
  }

 private:
  Value Embeddings(Value pixels) const {
    const Path at = root_ / "embeddings";
    const Value patches = nn::EmbedPatches(pixels, c_.hidden_size, at / "patch_embedding");
    const int64_t side = c_.grid();
    const Value table =
        graph_.Weight(at / "position_embedding.weight", Shape{side, side, c_.hidden_size},
                      Shape{side * side, c_.hidden_size});
    const Value positions = graph_.Add(kGridPositions, Attributes::Of(GridPositions{pixels.dim(0)}),
                                       {table, grids_}, at / "position_embedding");
    return nn::Add(patches, positions, at);
  }

  Value Layer(Value x, const Path& at) const {
    Value h = nn::LayerNorm(x, at / "layer_norm1", c_.layer_norm_eps);
    x = nn::Add(x, SelfAttention(h, at / "self_attn"), at / "#residual");
    h = nn::LayerNorm(x, at / "layer_norm2", c_.layer_norm_eps);
    h = nn::Linear(h, at / "mlp.fc1", c_.intermediate_size);
    h = nn::Activate(h, c_.activation, at / "mlp.activation_fn");
    return nn::Add(x, nn::Linear(h, at / "mlp.fc2", c_.hidden_size), at);
  }

  Value SelfAttention(Value x, const Path& at) const {
    const Rope rope{.heads = c_.heads, .interleaved = false};
    const auto projected = [&](const char* name) {
      return nn::Linear(x, at / name, c_.hidden_size);
    };
    const Value q = nn::Rotate(projected("q_proj"), cosines_, sines_, rope, at / "#query_rotated");
    const Value k = nn::Rotate(projected("k_proj"), cosines_, sines_, rope, at / "#key_rotated");
    const Attention attention{.heads = c_.heads,
                              .kv_heads = c_.heads,
                              .scale = 1.0 / std::sqrt(static_cast<double>(c_.head_dim()))};
    const Value context =
        nn::PackedAttention(q, k, projected("v_proj"), segments_, attention, at / "#context");
    return nn::Linear(context, at / "out_proj", c_.hidden_size);
  }

  Graph& graph_;
  const PaddleOcrVlVisionConfig& c_;
  Path root_ = Path("visual.vision_model");
  Value grids_, segments_, cosines_, sines_;
};

}  // namespace

Graph PaddleOcrVlVisionGraph(const PaddleOcrVlConfig& config) {
  Graph graph("paddleocr_vl_vision");
  const PaddleOcrVlVisionConfig& c = config.vision;
  const Dim patches = Dim::Symbol("patches"), pictures = Dim::Symbol("pictures");
  const Value pixels =
      graph.Input("pixel_values", DType::kF32, {patches, 3, c.patch_size, c.patch_size});
  const Value grids = graph.Input("image_grid_thw", DType::kI32, {pictures, 3});
  const Value encoded = VisionEncoder(graph, c, grids, patches).Run(pixels);
  graph.MarkOutput(PaddleOcrVlProjector(encoded, grids, config), "picture_features");
  AddPaddleOcrVlAliases(graph);
  return graph;
}

}  // namespace vernier
