#include "ops/linear.h"

#include <fmt/format.h>

#include "graph/graph.h"
#include "ops/op_support.h"
#include "ops/shape_ops.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

Types InferLinear(const Attributes&, const Types& in) {
  RequireRank(in[0], 1, Shape::kMaxRank, "the input");
  RequireRank(in[1], 2, 2, "the weight");
  RequireEqual(in[1].dim(1), in[0].dim(-1), "the weight's input width");
  if (in.size() > 2 && in[2].rank() > 0) {
    RequireEqual(in[2].dim(0), in[1].dim(0), "the bias's width");
  }
  ValueType out = in[0];
  out.shape.back() = in[1].dim(0);
  return {out};
}

Dim LinearFlops(const Attributes&, const Types& in, const Types& out) {
  return Product(out[0].shape) * in[0].dim(-1) * 2;
}

std::vector<int> DecomposeLinear(Graph& graph, const Node& node) {
  const Path at(node.name);
  const Value x{&graph, node.inputs[0]};
  const Value weight{&graph, node.inputs[1]};
  const Value transposed =
      graph.Add(kTranspose, Attributes::Of(Transpose{{1, 0}}), {weight}, at / "#transposed");
  Value y = graph.Add(kMatMul, Attributes::Of(MatMul{}), {x, transposed}, at / "#product");
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
    y = graph.Add(kBinary, Attributes::Of(Binary{BinaryKind::kAdd}),
                  {y, Value{&graph, node.inputs[2]}}, at / "#biased");
  }
  return {y.id};
}

Types InferMatMul(const Attributes&, const Types& in) {
  RequireRank(in[0], 2, Shape::kMaxRank, "the left factor");
  RequireRank(in[1], 2, Shape::kMaxRank, "the right factor");
  RequireEqual(in[1].dim(-2), in[0].dim(-1), "the right factor's height");
  const Dims left(in[0].shape.begin(), in[0].shape.end() - 2);
  const Dims right(in[1].shape.begin(), in[1].shape.end() - 2);
  ValueType out{in[0].dtype, Broadcast(left, right)};
  out.shape.push_back(in[0].dim(-2));
  out.shape.push_back(in[1].dim(-1));
  return {out};
}

Dim MatMulFlops(const Attributes&, const Types& in, const Types& out) {
  return Product(out[0].shape) * in[0].dim(-1) * 2;
}

Types InferFusedLinear(const Attributes& attributes, const Types& in) {
  const auto& fused = attributes.get<FusedLinear>();
  RequireEqual(static_cast<int64_t>(in.size()), fused.inputs(), "the number of inputs");
  Dim width = 0;
  for (int part = 0; part < fused.parts; ++part) {
    const ValueType& weight = in[static_cast<size_t>(fused.weight(part))];
    RequireEqual(weight.dim(1), in[0].dim(-1), "the weight's input width");
    width = width + weight.dim(0);
  }
  if (fused.gated) {
    RequireEqual(fused.parts, 2, "the number of parts of a gated product");
    width = in[static_cast<size_t>(fused.weight(0))].dim(0);
    RequireEqual(in[static_cast<size_t>(fused.weight(1))].dim(0), width, "the gated width");
  }
  for (int i = fused.gain(); i < fused.inputs(); ++i) {
    RequireEqual(in[static_cast<size_t>(i)].dim(0), width, "a channel vector's width");
  }
  ValueType out = in[0];
  out.shape.back() = width;
  return {out};
}

Dim FusedLinearFlops(const Attributes& attributes, const Types& in, const Types& out) {
  return LinearFlops(attributes, in, out) * (attributes.get<FusedLinear>().gated ? 2 : 1);
}

std::string DescribeFusedLinear(const Attributes& attributes) {
  const auto& fused = attributes.get<FusedLinear>();
  return fmt::format("parts={}, activation={}{}{}", fused.parts, Name(fused.activation),
                     fused.gated ? ", gated" : "", fused.norm ? ", norm" : "");
}

}  // namespace

const OpDef kLinear{.name = "Linear",
                    .min_inputs = 2,
                    .max_inputs = 3,
                    .infer = InferLinear,
                    .flops = LinearFlops,
                    .decompose = DecomposeLinear};

const OpDef kMatMul{.name = "MatMul",
                    .min_inputs = 2,
                    .max_inputs = 2,
                    .infer = InferMatMul,
                    .flops = MatMulFlops,
                    .onnx_name = "MatMul",
                    .onnx_version = 9};

const OpDef kFusedLinear{.name = "FusedLinear",
                         .min_inputs = 5,
                         .max_inputs = 64,
                         .infer = InferFusedLinear,
                         .flops = FusedLinearFlops,
                         .describe = DescribeFusedLinear};

}  // namespace vernier
