#include <cmath>

#include "models/names.h"
#include "models/paddleocr_vl/model.h"
#include "nn/layers.h"
#include "ops/gather.h"

namespace vernier {
namespace {

class TextDecoder {
 public:
  TextDecoder(Graph& graph, const PaddleOcrVlTextConfig& config)
      : graph_(graph),
        c_(config),
        sequences_(Dim::Symbol("sequences", SymbolKind::kRuntime)),
        new_tokens_(Dim::Symbol("new_tokens")),
        ids_(graph.Input("input_ids", DType::kI32, {sequences_, new_tokens_})) {
    const Value positions = graph.Input("position_ids", DType::kI32, {3, sequences_, new_tokens_});
    const Path at = root_ / "rotary_emb";
    const MultimodalRopeTable table{c_.head_dim, c_.rope_theta, c_.mrope_section};
    const auto tables = graph.AddMany(kMultimodalRopeTable, Attributes::Of(table), {positions}, at);
    cosines_ = tables[0];
    sines_ = tables[1];
    // As published, for both halves of a head; only for looking at.
    nn::Concat({cosines_, cosines_}, 2, at / "cos");
    nn::Concat({sines_, sines_}, 2, at / "sin");
  }

  Value Embeddings(int64_t image_token_id, PaddleOcrVlPictures pictures) const {
    const Value embedded =
        nn::Embedding(ids_, root_ / "embed_tokens", c_.vocab_size, c_.hidden_size);
    if (pictures == PaddleOcrVlPictures::kNone) return embedded;
    const Value features = graph_.Input("picture_features", DType::kF32,
                                        {Dim::Symbol("picture_tokens"), c_.hidden_size});
    const PlacePictures place{
        image_token_id,
        "each picture stands in the prompt as <|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>, "
        "the middle one repeated for every token of the picture"};
    return graph_.Add(kPlacePictures, Attributes::Of(place), {embedded, ids_, features},
                      root_ / "#inputs_embeds");
  }

  /// Of the last layer's tokens only those that `logits` stand behind go on; all leave their keys
  /// and values.
  Value Layers(Value x, LogitsAt logits) const {
    const int last = static_cast<int>(c_.layers) - 1;
    for (int i = 0; i <= last; ++i) {
      x = Layer(x, i == last ? logits : LogitsAt::kEveryToken, root_ / "layers" / i);
    }
    return nn::RmsNorm(x, root_ / "norm", c_.rms_norm_eps);
  }

 private:
  static Value Kept(Value x, LogitsAt tokens, const Path& at) {
    return tokens == LogitsAt::kLastToken ? nn::Slice(x, 1, x.dim(1) - 1, 1, at) : x;
  }

  Value Layer(Value x, LogitsAt kept, const Path& at) const {
    Value h = nn::RmsNorm(x, at / "input_layernorm", c_.rms_norm_eps);
    const Value attended = SelfAttention(h, kept, at / "self_attn");
    x = nn::Add(Kept(x, kept, at / "#last"), attended, at / "#residual");
    h = nn::RmsNorm(x, at / "post_attention_layernorm", c_.rms_norm_eps);
    return nn::Add(x, GatedMlp(h, at / "mlp"), at);
  }

  Value SelfAttention(Value x, LogitsAt kept, const Path& at) const {
    const Value asking = Kept(x, kept, at / "#last");
    const Value q = nn::Linear(asking, at / "q_proj", c_.attention_width(), c_.use_bias);
    const Value k = nn::Linear(x, at / "k_proj", c_.cache_width(), c_.use_bias);
    const Value v = nn::Linear(x, at / "v_proj", c_.cache_width(), c_.use_bias);
    const Value cache =
        graph_.State((at / "cache").text(),
                     {DType::kF32, {sequences_, Dim::Symbol("cache_capacity"), c_.cache_width()}});
    const Value turned =
        nn::Rotate(k, cosines_, sines_, Rotation(c_.kv_heads), at / "#key_rotated");
    const Value longer = nn::KvAppend(cache, turned, v, at / "#append");
    const Value asked = nn::Rotate(q, Kept(cosines_, kept, at / "#last_cosines"),
                                   Kept(sines_, kept, at / "#last_sines"), Rotation(c_.heads),
                                   at / "#query_rotated");
    const CachedAttention attention{.heads = c_.heads,
                                    .kv_heads = c_.kv_heads,
                                    .scale = 1.0 / std::sqrt(static_cast<double>(c_.head_dim))};
    const Value context =
        nn::CachedAttention(asked, longer, Value(), Value(), attention, at / "#context");
    return nn::Linear(context, at / "o_proj", c_.hidden_size, c_.use_bias);
  }

  static Rope Rotation(int heads) { return {.heads = heads, .interleaved = false}; }

  Value GatedMlp(Value x, const Path& at) const {
    const int64_t width = c_.intermediate_size;
    const Value gate = nn::Linear(x, at / "gate_proj", width, c_.use_bias);
    const Value value = nn::Linear(x, at / "up_proj", width, c_.use_bias);
    const Value gated =
        nn::Mul(nn::Activate(gate, c_.activation, at / "act_fn"), value, at / "#gated");
    return nn::Linear(gated, at / "down_proj", c_.hidden_size, c_.use_bias);
  }

  Graph& graph_;
  const PaddleOcrVlTextConfig& c_;
  Path root_ = Path("model");
  Dim sequences_, new_tokens_;
  Value ids_, cosines_, sines_;
};

}  // namespace

Graph PaddleOcrVlDecoderGraph(const PaddleOcrVlConfig& config, LogitsAt logits,
                              PaddleOcrVlPictures pictures) {
  const PaddleOcrVlTextConfig& c = config.text;
  Graph graph("paddleocr_vl_decoder");
  const TextDecoder decoder(graph, c);
  const Value embedded = decoder.Embeddings(config.image_token_id, pictures);
  graph.AddAlias(embedded, "text/inputs_embeds");
  Value x = decoder.Layers(embedded, logits);
  const Path head("lm_head");
  const Path weight = config.tied_embeddings ? Path("model.embed_tokens.weight") : head / "weight";
  x = nn::LinearWith(x, weight, Path(), head, c.vocab_size);
  graph.MarkOutput(x, "logits");
  graph.AddAlias(x, "logits");
  AddPaddleOcrVlAliases(graph);
  return graph;
}

}  // namespace vernier
