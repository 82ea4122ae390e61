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

std::vector<int> DecomposeLayerNorm(Graph& graph, const Node& node) {
  const Path at(node.name);
  const Value x{&graph, node.inputs[0]};
  const int last = x.type().rank() - 1;
  Dims kept = x.type().shape;
  kept.back() = 1;
  const auto binary = [&](BinaryKind kind, Value a, Value b, const char* name) {
    return graph.Add(kBinary, Attributes::Of(Binary{kind}), {a, b}, at / name);
  };
  const auto mean = [&](Value v, const char* name, const char* kept_name) {
    const Value dropped = graph.Add(kMean, Attributes::Of(Mean{last}), {v}, at / name);
    return graph.Add(kReshape, Attributes::Of(Reshape{kept}), {dropped}, at / kept_name);
  };
  const Value centred = binary(BinaryKind::kSub, x, mean(x, "#mean", "#mean_kept"), "#centred");
  const Value squares = binary(BinaryKind::kMul, centred, centred, "#squares");
  const Value variance = mean(squares, "#variance", "#variance_kept");
  const float eps = static_cast<float>(node.attributes.get<LayerNorm>().eps);
  const Value epsilon = graph.Add(kConstant, Attributes::Of(Constant{eps}), {}, at / "#eps");
  const Value shifted = binary(BinaryKind::kAdd, variance, epsilon, "#shifted");
  const Value deviation =
      graph.Add(kUnary, Attributes::Of(Unary{UnaryKind::kSqrt}), {shifted}, at / "#deviation");
  const Value normal = binary(BinaryKind::kDiv, centred, deviation, "#normal");
  const Value gained = binary(BinaryKind::kMul, normal, {&graph, node.inputs[1]}, "#gained");
  return {binary(BinaryKind::kAdd, gained, {&graph, node.inputs[2]}, "#biased").id};
}

}  // namespace

const OpDef kLayerNorm{.name = "LayerNorm",
                       .min_inputs = 3,
                       .max_inputs = 3,
                       .infer = InferLayerNorm,
                       .decompose = DecomposeLayerNorm,
                       .describe = [](const Attributes& a) -> std::string {
                         return fmt::format("eps={:g}", a.get<LayerNorm>().eps);
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
