#include "nn/layers.h"

#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/shape_ops.h"

namespace vernier::nn {
namespace {

Graph& GraphOf(Value x) { return *x.graph; }

template <typename T>
Value AddNode(const OpDef& op, T attributes, std::vector<Value> inputs, const Path& at) {
  Graph& graph = GraphOf(inputs.front());
  return graph.Add(op, Attributes::Of(std::move(attributes)), std::move(inputs), at);
}

}  // namespace

Value LinearWith(Value x, const Path& weight, const Path& bias, const Path& at, int64_t out) {
  const int64_t in = x.dim(-1).constant();
  std::vector<Value> inputs = {x, GraphOf(x).Weight(weight, Shape{out, in})};
  if (!bias.text().empty()) inputs.push_back(GraphOf(x).Weight(bias, Shape{out}));
  return AddNode(kLinear, vernier::Linear{}, std::move(inputs), at);
}

Value Linear(Value x, const Path& at, int64_t out, bool bias) {
  return LinearWith(x, at / "weight", bias ? at / "bias" : Path(), at, out);
}

Value LayerNorm(Value x, const Path& at, double eps) {
  const Shape width{x.dim(-1).constant()};
  const Value gain = GraphOf(x).Weight(at / "weight", width);
  const Value bias = GraphOf(x).Weight(at / "bias", width);
  return AddNode(kLayerNorm, vernier::LayerNorm{eps}, {x, gain, bias}, at);
}

Value RmsNorm(Value x, const Path& at, double eps) {
  const Value gain = GraphOf(x).Weight(at / "weight", Shape{x.dim(-1).constant()});
  return AddNode(kRmsNorm, vernier::RmsNorm{eps}, {x, gain}, at);
}

Value Activate(Value x, ActivationKind kind, const Path& at) {
  return AddNode(kActivation, ActivationOp{kind}, {x}, at);
}

Value Add(Value a, Value b, const Path& at) {
  return AddNode(kBinary, Binary{BinaryKind::kAdd}, {a, b}, at);
}

Value Mul(Value a, Value b, const Path& at) {
  return AddNode(kBinary, Binary{BinaryKind::kMul}, {a, b}, at);
}

Value LayerScale(Value x, const Path& gamma, const Path& at) {
  const Value factor = GraphOf(x).Weight(gamma, Shape{x.dim(-1).constant()});
  return AddNode(kBinary, Binary{BinaryKind::kMul}, {x, factor}, at);
}

// The product of gate and value has the name of the dropout that follows it in the published
// module.
Value GatedMlp(Value x, const Path& at, const GatedMlpWidths& widths, ActivationKind activation) {
  const Value gate = Activate(Linear(x, at / "wi_0", widths.hidden, false), activation, at / "act");
  const Value value = Linear(x, at / "wi_1", widths.hidden, false);
  const Value gated = Mul(gate, value, at / "dropout");
  return Linear(gated, at / "wo", widths.out, false);
}

Value Gather(Value table, Value ids, const Path& at) {
  return AddNode(kGather, vernier::Gather{}, {table, ids}, at);
}

Value Embedding(Value ids, const Path& at, int64_t rows, int64_t width) {
  return Gather(GraphOf(ids).Weight(at / "weight", Shape{rows, width}), ids, at);
}

Value Attention(Value q, Value k, Value v, const vernier::Attention& attributes, const Path& at) {
  return AddNode(kAttention, attributes, {q, k, v}, at);
}

Value MaskedAttention(Value q, Value k, Value v, Value visible,
                      const vernier::Attention& attributes, const Path& at) {
  return AddNode(kAttention, attributes, {q, k, v, Value{}, Value{}, visible}, at);
}

Value PackedAttention(Value q, Value k, Value v, Value segments,
                      const vernier::Attention& attributes, const Path& at) {
  return AddNode(kAttention, attributes, {q, k, v, Value{}, segments}, at);
}

Value AttentionProbabilities(Value q, Value k, const vernier::Attention& attributes,
                             const Path& at) {
  Graph& graph = GraphOf(q);
  q = HeadsFirst(q, attributes.heads, at / "#query");
  k = HeadsFirst(k, attributes.heads, at / "#key");
  const Value keys = Transpose(k, {0, 1, 3, 2}, at / "#keys");
  const Value products = AddNode(kMatMul, MatMul{}, {q, keys}, at / "#products");
  const Value scale = graph.Add(
      kConstant, Attributes::Of(Constant{static_cast<float>(attributes.scale)}), {}, at / "#scale");
  const Value scores =
      AddNode(kBinary, Binary{BinaryKind::kMul}, {products, scale}, at / "#scores");
  return AddNode(kSoftmax, Softmax{}, {scores}, at);
}

Value KvAppend(Value cache, Value k, Value v, const Path& at) {
  return AddNode(kKvAppend, vernier::KvAppend{}, {cache, k, v}, at);
}

Value CachedAttention(Value q, Value cache, Value bias, Value slots,
                      const vernier::CachedAttention& attributes, const Path& at) {
  return AddNode(kCachedAttention, attributes, {q, cache, bias, slots}, at);
}

Value DistanceBias(Value table, const vernier::DistanceBias& attributes, const Path& at) {
  return AddNode(kDistanceBias, attributes, {table}, at);
}

Value Rotate(Value x, Value cosines, Value sines, const Rope& attributes, const Path& at) {
  return AddNode(kRope, attributes, {x, cosines, sines}, at);
}

Value HeadsFirst(Value x, int heads, const Path& at) {
  const Dim dim = FloorDiv(x.dim(2), heads);
  const Value split = Reshape(x, {x.dim(0), x.dim(1), heads, dim}, at / "#split");
  return Transpose(split, {0, 2, 1, 3}, at);
}

Value PatchEmbed(Value pixels, const PatchEmbedding& patch, const Path& weights, const Path& at) {
  Graph& graph = GraphOf(pixels);
  const Value patches = AddNode(kPatchify, Patchify{patch.patch_height, patch.patch_width},
                                {pixels}, at / "#patches");
  const int64_t channels = pixels.dim(1).constant();
  const Value weight =
      graph.Weight(weights / "weight", Shape{patch.width, patches.dim(-1).constant()},
                   Shape{patch.width, channels, patch.patch_height, patch.patch_width});
  std::vector<Value> inputs = {patches, weight};
  if (patch.bias) inputs.push_back(graph.Weight(weights / "bias", Shape{patch.width}));
  return AddNode(kLinear, vernier::Linear{}, std::move(inputs), at);
}

Value EmbedPatches(Value patches, int64_t width, const Path& at) {
  const int64_t channels = patches.dim(1).constant();
  const int64_t height = patches.dim(2).constant(), columns = patches.dim(3).constant();
  const int64_t in = channels * height * columns;
  const Value rows = Reshape(patches, {patches.dim(0), in}, at / "#rows");
  Graph& graph = GraphOf(patches);
  const Value weight =
      graph.Weight(at / "weight", Shape{width, in}, Shape{width, channels, height, columns});
  const Value bias = graph.Weight(at / "bias", Shape{width});
  return AddNode(kLinear, vernier::Linear{}, {rows, weight, bias}, at);
}

Value Reshape(Value x, Dims shape, const Path& at) {
  return AddNode(kReshape, vernier::Reshape{std::move(shape)}, {x}, at);
}

Value Slice(Value x, int axis, const Dim& begin, const Dim& length, const Path& at) {
  return AddNode(kSlice, vernier::Slice{axis, begin, length}, {x}, at);
}

Value Concat(const std::vector<Value>& parts, int axis, const Path& at) {
  return AddNode(kConcat, vernier::Concat{axis}, parts, at);
}

Value PrependToken(Value token, Value tokens, const Path& at) {
  const Dims shape = {tokens.dim(0), 1, tokens.dim(2)};
  const Value repeated = AddNode(kExpand, Expand{shape}, {token}, at / "#token");
  return Concat({repeated, tokens}, 1, at);
}

Value Mean(Value x, int axis, const Path& at) {
  return AddNode(kMean, vernier::Mean{axis}, {x}, at);
}

Value Transpose(Value x, std::vector<int> order, const Path& at) {
  return AddNode(kTranspose, vernier::Transpose{std::move(order)}, {x}, at);
}

}  // namespace vernier::nn
