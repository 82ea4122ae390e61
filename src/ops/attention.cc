#include "ops/attention.h"

#include <fmt/format.h>

#include "graph/graph.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/op_support.h"
#include "ops/shape_ops.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

void RequireHeads(int heads, int kv_heads) {
  if (heads < 1 || kv_heads < 1 || heads % kv_heads != 0) {
    ShapeError(fmt::format("{} attention heads cannot share {} key-value heads", heads, kv_heads));
  }
}

// Width of one head: the channel count divided by the heads, which must divide it.
Dim HeadDim(const Dim& width, int heads) {
  if (width.IsConstant() && width.constant() % heads != 0) {
    ShapeError(fmt::format("{} channels do not divide into {} heads", width.ToString(), heads));
  }
  return FloorDiv(width, heads);
}

Types InferAttention(const Attributes& attributes, const Types& in) {
  const auto& attention = attributes.get<Attention>();
  RequireHeads(attention.heads, attention.kv_heads);
  RequireRank(in[0], 2, 3, "the query");
  for (size_t i : {1, 2}) RequireRank(in[i], in[0].rank(), in[0].rank(), "key and value");
  const Dim head_dim = HeadDim(in[0].dim(-1), attention.heads);
  RequireEqual(in[1].dim(-1), head_dim * attention.kv_heads, "the key's width");
  RequireEqual(in[2].dim(-1), head_dim * attention.kv_heads, "the value's width");
  RequireEqual(in[2].dim(-2), in[1].dim(-2), "the number of values");
  if (in[0].rank() == 3) {
    RequireEqual(in[1].dim(0), in[0].dim(0), "the keys' batch");
    RequireEqual(in[2].dim(0), in[0].dim(0), "the values' batch");
  }
  const bool has_segments = in.size() > Attention::kSegments && in[Attention::kSegments].rank() > 0;
  if (has_segments != (in[0].rank() == 2)) {
    ShapeError("packed queries [tokens, channels] come with segments, batched ones without");
  }
  if (in.size() > Attention::kVisible && in[Attention::kVisible].rank() > 0) {
    if (has_segments || in[3].rank() > 0 || attention.mask != AttentionMask::kNone) {
      ShapeError("a choice of visible keys goes with neither segments, bias nor causal mask");
    }
    RequireEqual(in[Attention::kVisible].dim(0), in[0].dim(0), "the visible keys' batch");
    RequireEqual(in[Attention::kVisible].dim(1), in[1].dim(1), "the number of visible keys");
  }
  return {in[0]};
}

Types InferRotaryAttention(const Attributes& attributes, const Types& in) {
  const auto& rotary = attributes.get<RotaryAttention>();
  Types plain = {in[0], in[1], in[2]};
  if (in.size() > RotaryAttention::kSegments) {
    plain.insert(plain.end(), {ValueType{}, in[RotaryAttention::kSegments]});
  }
  const Types results = InferAttention(Attributes::Of(rotary.attention), plain);
  RequireEqual(in[1].dim(-2), in[0].dim(-2), "the number of keys");
  for (size_t i : {3, 4}) {
    RequireRank(in[i], 2, 2, "the cosine and sine tables");
    RequireEqual(in[i].dim(0), in[0].dim(-2), "the tables' token count");
    RequireEqual(in[i].dim(1) * (2 * rotary.attention.heads), in[0].dim(-1), "the tables' width");
  }
  return results;
}

Dim AttentionFlops(const Attributes&, const Types& in, const Types&) {
  return Product(in[0].shape) * in[1].dim(-2) * 4;
}

Types InferKvAppend(const Attributes&, const Types& in) {
  RequireRank(in[0], 3, 3, "the state");
  for (size_t i : {1, 2}) {
    RequireRank(in[i], 3, 3, "new keys and values");
    RequireEqual(in[i].dim(0), in[0].dim(0), "rows of new keys and values");
    RequireEqual(in[i].dim(2), in[0].dim(2), "width of new keys and values");
  }
  return {in[0]};
}

Types InferCachedAttention(const Attributes& attributes, const Types& in) {
  const auto& attention = attributes.get<CachedAttention>();
  RequireHeads(attention.heads, attention.kv_heads);
  RequireRank(in[0], 3, 3, "the query");
  RequireRank(in[1], 3, 3, "the state");
  const bool has_slots = in.size() > 3 && in[3].rank() > 0;
  if (has_slots) {
    RequireRank(in[3], 1, 1, "the slots");
    RequireEqual(in[3].dim(0), in[0].dim(0), "the number of slots");
    if (in[3].dtype != DType::kI32) {
      ShapeError(fmt::format("the slots must be i32, got {}", Name(in[3].dtype)));
    }
  } else {
    RequireEqual(in[1].dim(0), in[0].dim(0), "the number of the state's rows");
  }
  if (in.size() > 2 && in[2].rank() > 0) {
    RequireRank(in[2], 2, 2, "the bias");
    RequireEqual(in[2].dim(0), attention.heads, "the bias's heads");
    RequireEqual(in[2].dim(1), in[1].dim(1), "the bias's distances");
  }
  const Dim head_dim = HeadDim(in[0].dim(-1), attention.heads);
  RequireEqual(in[1].dim(-1), head_dim * attention.kv_heads, "the state's width");
  return {in[0]};
}

Types InferDistanceBias(const Attributes& attributes, const Types& in) {
  const auto& bias = attributes.get<DistanceBias>();
  RequireRank(in[0], 2, 2, "the table");
  if (!in[0].dim(0).IsConstant() || in[0].dim(0).constant() < 2 ||
      bias.max_distance <= in[0].dim(0).constant() / 2) {
    ShapeError(fmt::format("{} buckets cannot cover {} distances", in[0].dim(0).ToString(),
                           bias.max_distance));
  }
  return {{DType::kF32, {in[0].dim(1), bias.capacity}}};
}

// [batch, tokens, heads*dim] to [batch, heads, tokens, dim], kv heads repeated to `heads`.
Value SplitHeads(Graph& graph, Value x, int own_heads, int heads, const Path& at) {
  const Dim batch = x.dim(0), tokens = x.dim(1), dim = FloorDiv(x.dim(2), own_heads);
  x = graph.Add(kReshape, Attributes::Of(Reshape{{batch, tokens, own_heads, dim}}), {x},
                at / "#split");
  x = graph.Add(kTranspose, Attributes::Of(Transpose{{0, 2, 1, 3}}), {x}, at / "#heads");
  if (own_heads == heads) return x;
  const int repeats = heads / own_heads;
  x = graph.Add(kReshape, Attributes::Of(Reshape{{batch, own_heads, 1, tokens, dim}}), {x},
                at / "#groups");
  x = graph.Add(kExpand, Attributes::Of(Expand{{batch, own_heads, repeats, tokens, dim}}), {x},
                at / "#repeated");
  return graph.Add(kReshape, Attributes::Of(Reshape{{batch, heads, tokens, dim}}), {x},
                   at / "#all_heads");
}

// Plain attention without mask or segments; the masked forms have no opset-11 equivalent of fixed
// shape and stay whole.
std::vector<int> DecomposeAttention(Graph& graph, const Node& node) {
  const auto& attention = node.attributes.get<Attention>();
  if (attention.mask != AttentionMask::kNone || node.inputs.size() > 4) return {};
  const Path at(node.name);
  const Value query{&graph, node.inputs[0]};
  const Value q = SplitHeads(graph, query, attention.heads, attention.heads, at / "#query");
  const Value k =
      SplitHeads(graph, {&graph, node.inputs[1]}, attention.kv_heads, attention.heads, at / "#key");
  const Value v = SplitHeads(graph, {&graph, node.inputs[2]}, attention.kv_heads, attention.heads,
                             at / "#value");
  const Value k_transposed =
      graph.Add(kTranspose, Attributes::Of(Transpose{{0, 1, 3, 2}}), {k}, at / "#key_transposed");
  Value scores = graph.Add(kMatMul, Attributes::Of(MatMul{}), {q, k_transposed}, at / "#scores");
  const Value scale = graph.Add(
      kConstant, Attributes::Of(Constant{static_cast<float>(attention.scale)}), {}, at / "#scale");
  scores =
      graph.Add(kBinary, Attributes::Of(Binary{BinaryKind::kMul}), {scores, scale}, at / "#scaled");
  if (node.inputs.size() > 3 && node.inputs[3] != kNoValue) {
    scores = graph.Add(kBinary, Attributes::Of(Binary{BinaryKind::kAdd}),
                       {scores, {&graph, node.inputs[3]}}, at / "#biased");
  }
  const Value probs = graph.Add(kSoftmax, Attributes::Of(Softmax{}), {scores}, at / "#probs");
  Value mixed = graph.Add(kMatMul, Attributes::Of(MatMul{}), {probs, v}, at / "#mixed");
  mixed = graph.Add(kTranspose, Attributes::Of(Transpose{{0, 2, 1, 3}}), {mixed}, at / "#by_token");
  mixed = graph.Add(kReshape, Attributes::Of(Reshape{query.type().shape}), {mixed}, at / "#joined");
  return {mixed.id};
}

template <typename T>
std::string Describe(const Attributes& attributes) {
  const auto& attention = attributes.get<T>();
  return fmt::format("heads={}, kv_heads={}, scale={:.6g}{}", attention.heads, attention.kv_heads,
                     attention.scale, attention.mask == AttentionMask::kCausal ? ", causal" : "");
}

}  // namespace

const OpDef kAttention{.name = "Attention",
                       .min_inputs = 3,
                       .max_inputs = 6,
                       .infer = InferAttention,
                       .flops = AttentionFlops,
                       .decompose = DecomposeAttention,
                       .describe = Describe<Attention>};

const OpDef kRotaryAttention{.name = "RotaryAttention",
                             .min_inputs = 5,
                             .max_inputs = 6,
                             .infer = InferRotaryAttention,
                             .flops = AttentionFlops,
                             .describe = [](const Attributes& a) -> std::string {
                               const auto& rotary = a.get<RotaryAttention>();
                               return fmt::format("heads={}, {}", rotary.attention.heads,
                                                  rotary.interleaved ? "interleaved" : "halves");
                             }};

const OpDef kKvAppend{.name = "KvAppend",
                      .min_inputs = 3,
                      .max_inputs = 3,
                      .infer = InferKvAppend,
                      .writes_state = true};

const OpDef kCachedAttention{.name = "CachedAttention",
                             .min_inputs = 2,
                             .max_inputs = 4,
                             .infer = InferCachedAttention,
                             .flops = AttentionFlops,
                             .describe = Describe<CachedAttention>};

const OpDef kDistanceBias{.name = "DistanceBias",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = InferDistanceBias,
                          .describe = [](const Attributes& a) -> std::string {
                            return fmt::format("max_distance={}",
                                               a.get<DistanceBias>().max_distance);
                          }};

int StateBehind(const Graph& graph, int value) {
  while (graph.value(value).kind != ValueKind::kState) {
    const Node* producer = graph.producer(value);
    if (producer == nullptr || producer->op != &kKvAppend) return kNoValue;
    value = producer->inputs[0];
  }
  return value;
}

}  // namespace vernier
