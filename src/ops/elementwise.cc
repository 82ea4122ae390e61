#include "ops/elementwise.h"

#include <fmt/format.h>

#include <numbers>

#include "graph/graph.h"
#include "ops/op_support.h"

namespace vernier {
namespace {

using Types = std::vector<ValueType>;

Types InferSame(const Attributes&, const Types& in) { return {in[0]}; }

Types InferBinary(const Attributes&, const Types& in) {
  return {{in[0].dtype, Broadcast(in[0].shape, in[1].shape)}};
}

Types InferConstant(const Attributes&, const Types&) { return {{DType::kF32, {}}}; }

Types InferCast(const Attributes& attributes, const Types& in) {
  return {{attributes.get<Cast>().to, in[0].shape}};
}

Value AddConstant(Graph& graph, float value, const Path& at) {
  return graph.Add(kConstant, Attributes::Of(Constant{value}), {}, at);
}

Value AddBinary(Graph& graph, BinaryKind kind, Value a, Value b, const Path& at) {
  return graph.Add(kBinary, Attributes::Of(Binary{kind}), {a, b}, at);
}

Value AddUnary(Graph& graph, UnaryKind kind, Value x, const Path& at) {
  return graph.Add(kUnary, Attributes::Of(Unary{kind}), {x}, at);
}

// 0.5 x (1 + f), the common end of both gelu forms.
Value HalfGate(Graph& graph, Value x, Value f, const Path& at) {
  const Value one = AddConstant(graph, 1.0f, at / "#one");
  const Value half = AddConstant(graph, 0.5f, at / "#half");
  const Value gate = AddBinary(graph, BinaryKind::kAdd, f, one, at / "#gate");
  const Value product = AddBinary(graph, BinaryKind::kMul, x, gate, at / "#gated");
  return AddBinary(graph, BinaryKind::kMul, product, half, at / "#halved");
}

Value GeluErf(Graph& graph, Value x, const Path& at) {
  const Value root = AddConstant(graph, std::numbers::sqrt2_v<float>, at / "#root2");
  const Value scaled = AddBinary(graph, BinaryKind::kDiv, x, root, at / "#scaled");
  return HalfGate(graph, x, AddUnary(graph, UnaryKind::kErf, scaled, at / "#erf"), at);
}

Value GeluTanh(Graph& graph, Value x, const Path& at) {
  const float root = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;
  const Value cubic = AddConstant(graph, 0.044715f, at / "#cubic");
  const Value outer = AddConstant(graph, root, at / "#outer");
  const Value square = AddBinary(graph, BinaryKind::kMul, x, x, at / "#square");
  const Value cube = AddBinary(graph, BinaryKind::kMul, square, x, at / "#cube");
  const Value term = AddBinary(graph, BinaryKind::kMul, cube, cubic, at / "#term");
  const Value sum = AddBinary(graph, BinaryKind::kAdd, x, term, at / "#sum");
  const Value inner = AddBinary(graph, BinaryKind::kMul, sum, outer, at / "#inner");
  return HalfGate(graph, x, AddUnary(graph, UnaryKind::kTanh, inner, at / "#tanh"), at);
}

std::vector<int> DecomposeActivation(Graph& graph, const Node& node) {
  const Path at(node.name);
  const Value x{&graph, node.inputs[0]};
  switch (node.attributes.get<ActivationOp>().kind) {
    case ActivationKind::kNone:
      return {x.id};
    case ActivationKind::kGelu:
      return {GeluErf(graph, x, at).id};
    case ActivationKind::kGeluTanh:
      return {GeluTanh(graph, x, at).id};
    case ActivationKind::kQuickGelu: {
      const Value slope = AddConstant(graph, 1.702f, at / "#slope");
      const Value scaled = AddBinary(graph, BinaryKind::kMul, x, slope, at / "#scaled");
      const Value gate = AddUnary(graph, UnaryKind::kSigmoid, scaled, at / "#gate");
      return {AddBinary(graph, BinaryKind::kMul, x, gate, at / "#gated").id};
    }
    case ActivationKind::kRelu:
      return {AddUnary(graph, UnaryKind::kRelu, x, at / "#relu").id};
    case ActivationKind::kTanh:
      return {AddUnary(graph, UnaryKind::kTanh, x, at / "#tanh").id};
    case ActivationKind::kSilu: {
      const Value gate = AddUnary(graph, UnaryKind::kSigmoid, x, at / "#gate");
      return {AddBinary(graph, BinaryKind::kMul, x, gate, at / "#gated").id};
    }
  }
  return {x.id};
}

}  // namespace

const char* Name(UnaryKind kind) {
  constexpr const char* kNames[] = {"Erf", "Tanh", "Sqrt", "Sigmoid", "Relu"};
  return kNames[static_cast<size_t>(kind)];
}

const char* Name(BinaryKind kind) {
  constexpr const char* kNames[] = {"Add", "Sub", "Mul", "Div"};
  return kNames[static_cast<size_t>(kind)];
}

const char* Name(ActivationKind kind) {
  constexpr const char* kNames[] = {"none", "gelu", "gelu_tanh", "quick_gelu",
                                    "relu", "tanh", "silu"};
  return kNames[static_cast<size_t>(kind)];
}

const OpDef kUnary{
    .name = "Unary",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = InferSame,
    .describe = [](const Attributes& a) -> std::string { return Name(a.get<Unary>().kind); }};

const OpDef kBinary{
    .name = "Binary",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = InferBinary,
    .describe = [](const Attributes& a) -> std::string { return Name(a.get<Binary>().kind); }};

const OpDef kActivation{.name = "Activation",
                        .min_inputs = 1,
                        .max_inputs = 1,
                        .infer = InferSame,
                        .decompose = DecomposeActivation,
                        .describe = [](const Attributes& a) -> std::string {
                          return Name(a.get<ActivationOp>().kind);
                        }};

const OpDef kConstant{.name = "Constant",
                      .min_inputs = 0,
                      .max_inputs = 0,
                      .infer = InferConstant,
                      .onnx_name = "Constant",
                      .onnx_version = 1,
                      .describe = [](const Attributes& a) -> std::string {
                        return fmt::format("{}", a.get<Constant>().value);
                      }};

const OpDef kCast{
    .name = "Cast",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = InferCast,
    .onnx_name = "Cast",
    .onnx_version = 9,
    .describe = [](const Attributes& a) -> std::string { return Name(a.get<Cast>().to); }};

}  // namespace vernier
