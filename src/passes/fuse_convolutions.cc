#include <vector>

#include "ops/conv.h"
#include "ops/elementwise.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

bool IsConvolution(const Graph& graph, const Node& node) {
  if (node.op == &kFusedConv2d) return true;
  if (node.op != &kConv2d) return false;
  const bool bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  return IsWeight(graph, node.inputs[1]) && (!bias || IsWeight(graph, node.inputs[2]));
}

// The node as a FusedConv2d, whether or not it was one.
Node Fused(const Node& node) {
  if (node.op == &kFusedConv2d) return node;
  Node fused = node;
  fused.op = &kFusedConv2d;
  fused.inputs.resize(FusedConv2d::kInputs, kNoValue);
  fused.attributes = Attributes::Of(FusedConv2d{.conv = node.attributes.get<Conv2d>()});
  return fused;
}

// Adds what `next` does to the convolution; false where it has no place there. A residual is added
// before the activation.
bool Absorb(const Graph& graph, const Node& next, Node& fused) {
  auto attributes = fused.attributes.get<FusedConv2d>();
  if (attributes.activation != ActivationKind::kNone) return false;
  const int result = fused.outputs[0];
  if (next.op == &kActivation) {
    attributes.activation = next.attributes.get<ActivationOp>().kind;
    fused.attributes = Attributes::Of(attributes);
    return attributes.activation == ActivationKind::kRelu;
  }
  int& residual = fused.inputs[FusedConv2d::kResidual];
  if (next.op != &kBinary || next.attributes.get<Binary>().kind != BinaryKind::kAdd) return false;
  const int other = next.inputs[0] == result ? next.inputs[1] : next.inputs[0];
  // A weight cannot take the layout of the result.
  if (residual != kNoValue || IsWeight(graph, other) ||
      graph.value(other).type.shape != graph.value(result).type.shape) {
    return false;
  }
  residual = other;
  return true;
}

}  // namespace

void FuseConvolutions(Graph& graph, const PassContext&) {
  std::vector<int> convolutions;
  for (const Node& node : graph.nodes()) {
    if (IsConvolution(graph, node)) convolutions.push_back(node.id);
  }
  for (int id : convolutions) {
    while (const Node* next = OnlyConsumer(graph, graph.nodes()[graph.IndexOf(id)].outputs[0])) {
      Node fused = Fused(graph.nodes()[graph.IndexOf(id)]);
      if (!Absorb(graph, *next, fused)) break;
      id = TakeOver(graph, id, next->id, std::move(fused));
    }
  }
}

}  // namespace vernier
