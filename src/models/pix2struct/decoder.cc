#include "models/pix2struct/decoder.h"

#include <fmt/format.h>

#include "nn/layers.h"

namespace vernier {
namespace {

Path Layer(int64_t index) { return Path("decoder.layer") / static_cast<int>(index); }

Value CacheState(Graph& graph, const Path& at, const Dim& rows, const Dim& capacity,
                 const Pix2StructTextConfig& c) {
  return graph.State((at / "cache").text(), {DType::kF32, {rows, capacity, c.hidden_size}});
}

Value PictureCache(Graph& graph, int64_t layer, const Pix2StructTextConfig& c) {
  return CacheState(graph, Layer(layer) / "encoder_decoder_attention", Dim::Symbol("pictures"),
                    Dim::Symbol("patch_capacity"), c);
}

CachedAttention Unscaled(const Pix2StructTextConfig& c, AttentionMask mask) {
  return {.heads = c.heads, .kv_heads = c.heads, .scale = 1.0, .mask = mask};
}

// The tokens of x that go on: all of them, or the one that logits are for.
Value Kept(Value x, LogitsAt tokens, const Path& at) {
  return tokens == LogitsAt::kLastToken ? nn::Slice(x, 1, x.dim(1) - 1, 1, at) : x;
}

// The projection back and the sum, under the names of the modules that yield them.
Value AddProjected(Value x, Value context, const Path& block, const Pix2StructTextConfig& c) {
  Graph& graph = *x.graph;
  const Path at = block / "attention";
  const Value projected = nn::Linear(context, at / "output", c.hidden_size, false);
  graph.AddAlias(projected, at.text());
  graph.AddAlias(projected, (block / "dropout").text());
  return nn::Add(x, projected, block);
}

class Decoder {
 public:
  Decoder(Graph& graph, const Pix2StructTextConfig& config)
      : graph_(graph),
        config_(config),
        sequences_(Dim::Symbol("sequences", SymbolKind::kRuntime)),
        capacity_(Dim::Symbol("cache_capacity")),
        pictures_(graph.Input("picture_of_sequence", DType::kI32, {sequences_})) {}

  Value Ids() {
    return graph_.Input("decoder_input_ids", DType::kI32, {sequences_, Dim::Symbol("new_tokens")});
  }

  // One table, layer 0's, biases every layer's self-attention.
  Value PositionBias() {
    const Path at = Layer(0) / "self_attention.attention.relative_attention_bias";
    const Shape shape{config_.relative_attention_buckets, config_.heads};
    const DistanceBias attributes{config_.relative_attention_max_distance, capacity_};
    return nn::DistanceBias(graph_.Weight(at / "weight", shape), attributes, at / "#by_distance");
  }

  // Of the last block's tokens only those that `logits` stand behind go on; all leave their keys
  // and values.
  Value Block(Value x, Value bias, int64_t index, LogitsAt logits) {
    const Path at = Layer(index);
    const LogitsAt kept = index + 1 == config_.layers ? logits : LogitsAt::kEveryToken;
    x = SelfAttention(x, bias, kept, at / "self_attention");
    x = CrossAttention(x, at / "encoder_decoder_attention", index);
    const Path mlp = at / "mlp";
    const Value h = nn::RmsNorm(x, mlp / "layer_norm", config_.layer_norm_eps);
    const Value fed = nn::GatedMlp(h, mlp / "DenseReluDense", {config_.d_ff, config_.hidden_size},
                                   config_.activation);
    graph_.AddAlias(fed, (mlp / "DenseReluDense").text());
    graph_.AddAlias(fed, (mlp / "dropout").text());
    x = nn::Add(x, fed, mlp);
    graph_.AddAlias(x, at.text());
    return x;
  }

 private:
  Value SelfAttention(Value x, Value bias, LogitsAt kept, const Path& block) {
    const Path at = block / "attention";
    const int64_t width = config_.hidden_size;
    const Value h = nn::RmsNorm(x, block / "layer_norm", config_.layer_norm_eps);
    const Value q = nn::Linear(Kept(h, kept, at / "#last"), at / "query", width, false);
    const Value k = nn::Linear(h, at / "key", width, false);
    const Value v = nn::Linear(h, at / "value", width, false);
    Value cache = CacheState(graph_, block, sequences_, capacity_, config_);
    cache = nn::KvAppend(cache, k, v, at / "#append");
    const Value context = nn::CachedAttention(
        q, cache, bias, Value(), Unscaled(config_, AttentionMask::kCausal), at / "#context");
    return AddProjected(Kept(x, kept, block / "#last"), context, block, config_);
  }

  Value CrossAttention(Value x, const Path& block, int64_t index) {
    const Path at = block / "attention";
    const Value h = nn::RmsNorm(x, block / "layer_norm", config_.layer_norm_eps);
    const Value q = nn::Linear(h, at / "query", config_.hidden_size, false);
    const Value context =
        nn::CachedAttention(q, PictureCache(graph_, index, config_), Value(), pictures_,
                            Unscaled(config_, AttentionMask::kNone), at / "#context");
    return AddProjected(x, context, block, config_);
  }

  Graph& graph_;
  const Pix2StructTextConfig& config_;
  Dim sequences_, capacity_;
  Value pictures_;
};

}  // namespace

Graph Pix2StructMemoryGraph(const Pix2StructConfig& config) {
  const Pix2StructTextConfig& c = config.text;
  Graph graph("pix2struct_memory");
  const Dim pictures = Dim::Symbol("pictures"), patches = Dim::Symbol("patches");
  const Value memory =
      graph.Input("encoder_hidden_states", DType::kF32, {pictures, patches, c.hidden_size});
  for (int64_t i = 0; i < c.layers; ++i) {
    const Path at = Layer(i) / "encoder_decoder_attention.attention";
    const Value k = nn::Linear(memory, at / "key", c.hidden_size, false);
    const Value v = nn::Linear(memory, at / "value", c.hidden_size, false);
    nn::KvAppend(PictureCache(graph, i, c), k, v, at / "#append");
  }
  return graph;
}

Graph Pix2StructDecoderGraph(const Pix2StructConfig& config, LogitsAt logits) {
  const Pix2StructTextConfig& c = config.text;
  Graph graph("pix2struct_decoder");
  const Path root("decoder");
  Decoder decoder(graph, c);
  const Value ids = decoder.Ids();
  const Value bias = decoder.PositionBias();
  const Path embeddings = root / "embed_tokens";
  Value x = nn::Embedding(ids, embeddings, c.vocab_size, c.hidden_size);
  for (int64_t i = 0; i < c.layers; ++i) {
    graph.AddAlias(x, fmt::format("decoder_hidden[{}]", i));
    x = decoder.Block(x, bias, i, logits);
  }
  x = nn::RmsNorm(x, root / "final_layer_norm", c.layer_norm_eps);
  graph.AddAlias(x, "decoder_final_norm");
  const Path head = root / "lm_head";
  const Path weight = (config.tied_embeddings ? embeddings : head) / "weight";
  x = nn::LinearWith(x, weight, Path(), head, c.vocab_size);
  graph.MarkOutput(x, "logits");
  graph.AddAlias(x, root.text());
  return graph;
}

}  // namespace vernier
