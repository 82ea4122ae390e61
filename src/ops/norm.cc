#include "ops/norm.h"

#include <fmt/format.h>

#include "graph/graph.h"
#include "ops/elementwise.h"
#include "ops/op_support.h"
#include "ops/shape_ops.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

Types InferLayerNorm(const Attributes&, const Types& in) {
  RequireRank(in[0], 1, Shape::kMaxRank, "the input");
  for (size_t i : {1, 2}) {
    RequireRank(in[i], 1, 1, i == 1 ? "the gain" : "the bias");
    RequireEqual(in[i].dim(0), in[0].dim(-1), i == 1 ? "the gain's width" : "the bias's width");
  }
  return {in[0]};
}

Types InferRmsNorm(const Attributes&, const Types& in) {
  RequireRank(in[0], 1, Shape::kMaxRank, "the input");
  RequireRank(in[1], 1, 1, "the gain");
  RequireEqual(in[1].dim(0), in[0].dim(-1), "the gain's width");
  return {in[0]};
}

Types InferSoftmax(const Attributes&, const Types& in) {
  RequireRank(in[0], 1, Shape::kMaxRank, "the input");
  return {in[0]};
}

Types InferMean(const Attributes& attributes, const Types& in) {
  const int axis = NormalAxis(attributes.get<Mean>().axis, in[0].rank());
  ValueType out = in[0];
  out.shape.erase(out.shape.begin() + axis);
  return {out};
}

// The plain ops that the norms are made of, named under the node.
class NormParts {
 public:
  NormParts(Graph& graph, const Node& node) : NormParts(graph, node, {&graph, node.inputs[0]}) {}
  NormParts(Graph& graph, const Node& node, Value x) : graph_(graph), at_(node.name), x_(x) {}

  Value x() const { return x_; }

  Value Do(BinaryKind kind, Value a, Value b, const char* name) {
    return graph_.Add(kBinary, Attributes::Of(Binary{kind}), {a, b}, at_ / name);
  }

  // Over the last axis, which stays with extent 1.
  Value Mean(Value v, const char* name, const char* kept_name) {
    const int last = x_.type().rank() - 1;
    Dims kept = x_.type().shape;
    kept.back() = 1;
    const Value dropped = graph_.Add(kMean, Attributes::Of(vernier::Mean{last}), {v}, at_ / name);
    return graph_.Add(kReshape, Attributes::Of(Reshape{kept}), {dropped}, at_ / kept_name);
  }

  // v / sqrt(mean(v^2) + eps)
  Value Normal(Value v, double eps) {
    const Value squares = Do(BinaryKind::kMul, v, v, "#squares");
    const Value mean = Mean(squares, "#variance", "#variance_kept");
    const Value epsilon =
        graph_.Add(kConstant, Attributes::Of(Constant{static_cast<float>(eps)}), {}, at_ / "#eps");
    const Value shifted = Do(BinaryKind::kAdd, mean, epsilon, "#shifted");
    const Value deviation =
        graph_.Add(kUnary, Attributes::Of(Unary{UnaryKind::kSqrt}), {shifted}, at_ / "#deviation");
    return Do(BinaryKind::kDiv, v, deviation, "#normal");
  }

 private:
  Graph& graph_;
  Path at_;
  Value x_;
};

std::vector<int> DecomposeLayerNorm(Graph& graph, const Node& node) {
  NormParts parts(graph, node);
  const Value mean = parts.Mean(parts.x(), "#mean", "#mean_kept");
  const Value centred = parts.Do(BinaryKind::kSub, parts.x(), mean, "#centred");
  const Value normal = parts.Normal(centred, node.attributes.get<LayerNorm>().eps);
  const Value gained = parts.Do(BinaryKind::kMul, normal, {&graph, node.inputs[1]}, "#gained");
  return {parts.Do(BinaryKind::kAdd, gained, {&graph, node.inputs[2]}, "#biased").id};
}

std::vector<int> DecomposeRmsNorm(Graph& graph, const Node& node) {
  NormParts parts(graph, node);
  const Value normal = parts.Normal(parts.x(), node.attributes.get<RmsNorm>().eps);
  return {parts.Do(BinaryKind::kMul, normal, {&graph, node.inputs[1]}, "#gained").id};
}

Types InferChannelNorm(const Types& in) {
  RequireRank(in[0], 2, Shape::kMaxRank, "the map");
  for (size_t i = 1; i < in.size(); ++i) {
    RequireRank(in[i], 1, 1, "a channel vector");
    RequireEqual(in[i].dim(0), in[0].dim(1), "a channel vector's width");
  }
  return {in[0]};
}

Types InferBatchNorm(const Attributes&, const Types& in) { return InferChannelNorm(in); }

Types InferGroupNorm(const Attributes& attributes, const Types& in) {
  const Dim groups = attributes.get<GroupNorm>().groups;
  RequireEqual(FloorDiv(in[0].dim(1), groups) * groups, in[0].dim(1), "the groups' channels");
  return InferChannelNorm(in);
}

Types InferFusedGroupNorm(const Attributes& attributes, const Types& in) {
  return InferGroupNorm(Attributes::Of(attributes.get<FusedGroupNorm>().norm), in);
}

std::string DescribeGroups(const GroupNorm& norm) {
  return fmt::format("groups={}, eps={:g}", norm.groups, norm.eps);
}

// Every group becomes a row of LayerNorm's own parts; gain and shift get the rank of the map.
std::vector<int> DecomposeGroupNorm(Graph& graph, const Node& node) {
  const auto& norm = node.attributes.get<GroupNorm>();
  const Path at(node.name);
  const Value x{&graph, node.inputs[0]};
  const Dims shape = x.type().shape;
  Dims per_channel(shape.size() - 1, Dim(1));
  per_channel.front() = shape[1];
  const auto reshape = [&](Value v, Dims to, const char* name) {
    return graph.Add(kReshape, Attributes::Of(Reshape{std::move(to)}), {v}, at / name);
  };
  const Dim elements =
      FloorDiv(shape[1], norm.groups) * Product(Dims(shape.begin() + 2, shape.end()));
  const Value rows = reshape(x, {shape[0], norm.groups, elements}, "#rows");
  NormParts parts(graph, node, rows);
  const Value centred =
      parts.Do(BinaryKind::kSub, rows, parts.Mean(rows, "#mean", "#mean_kept"), "#centred");
  const Value normal = reshape(parts.Normal(centred, norm.eps), shape, "#whole");
  const Value gain = reshape({&graph, node.inputs[1]}, per_channel, "#gain");
  const Value shift = reshape({&graph, node.inputs[2]}, per_channel, "#shift");
  const Value gained = parts.Do(BinaryKind::kMul, normal, gain, "#gained");
  return {parts.Do(BinaryKind::kAdd, gained, shift, "#shifted_back").id};
}

}  // namespace

const OpDef kBatchNorm{.name = "BatchNorm",
                       .min_inputs = 5,
                       .max_inputs = 5,
                       .infer = InferBatchNorm,
                       .onnx_name = "BatchNormalization",
                       .onnx_version = 9,
                       .describe = [](const Attributes& a) -> std::string {
                         return fmt::format("eps={:g}", a.get<BatchNorm>().eps);
                       }};

const OpDef kGroupNorm{.name = "GroupNorm",
                       .min_inputs = 3,
                       .max_inputs = 3,
                       .infer = InferGroupNorm,
                       .decompose = DecomposeGroupNorm,
                       .describe = [](const Attributes& a) -> std::string {
                         return DescribeGroups(a.get<GroupNorm>());
                       }};

const OpDef kFusedGroupNorm{.name = "FusedGroupNorm",
                            .min_inputs = 3,
                            .max_inputs = 3,
                            .infer = InferFusedGroupNorm,
                            .describe = [](const Attributes& a) -> std::string {
                              const auto& fused = a.get<FusedGroupNorm>();
                              return fmt::format("{}, activation={}", DescribeGroups(fused.norm),
                                                 Name(fused.activation));
                            }};

const OpDef kLayerNorm{.name = "LayerNorm",
                       .min_inputs = 3,
                       .max_inputs = 3,
                       .infer = InferLayerNorm,
                       .decompose = DecomposeLayerNorm,
                       .describe = [](const Attributes& a) -> std::string {
                         return fmt::format("eps={:g}", a.get<LayerNorm>().eps);
                       }};

const OpDef kRmsNorm{.name = "RmsNorm",
                     .min_inputs = 2,
                     .max_inputs = 2,
                     .infer = InferRmsNorm,
                     .decompose = DecomposeRmsNorm,
                     .describe = [](const Attributes& a) -> std::string {
                       return fmt::format("eps={:g}", a.get<RmsNorm>().eps);
                     }};

const OpDef kSoftmax{.name = "Softmax",
                     .min_inputs = 1,
                     .max_inputs = 1,
                     .infer = InferSoftmax,
                     .onnx_name = "Softmax",
                     .onnx_version = 1};

const OpDef kMean{.name = "Mean",
                  .min_inputs = 1,
                  .max_inputs = 1,
                  .infer = InferMean,
                  .onnx_name = "ReduceMean",
                  .onnx_version = 1,
                  .describe = [](const Attributes& a) -> std::string {
                    return fmt::format("axis={}", a.get<Mean>().axis);
                  }};

}  // namespace vernier
