#include "ops/elementwise.h"
#include "ops/linear.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

// Every linear of the checkpoint's weights as a FusedLinear that absorbs nothing yet.
void Normalise(Graph& graph) {
  for (Node& node : graph.mutable_nodes()) {
    if (node.op != &kLinear || !IsWeight(graph, node.inputs[1])) continue;
    const FusedLinear attributes{};
    const int bias = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
    if (bias != kNoValue && !IsWeight(graph, bias)) continue;
    node.op = &kFusedLinear;
    node.inputs = {node.inputs[0], node.inputs[1], bias, kNoValue, kNoValue};
    node.attributes = Attributes::Of(attributes);
  }
}

// One fused linear that grows along its chain of only consumers.
class Chain {
 public:
  Chain(Graph& graph, int node_id)
      : graph_(graph), node_id_(node_id), fused_(node().attributes.get<FusedLinear>()) {}

  void Absorb() {
    while (const Node* next = OnlyConsumer(graph_, node().outputs[0])) {
      if (!AbsorbActivation(*next) && !AbsorbScale(*next) && !AbsorbResidual(*next)) return;
    }
  }

 private:
  Node& node() { return graph_.mutable_nodes()[graph_.IndexOf(node_id_)]; }
  int input(int index) { return node().inputs[static_cast<size_t>(index)]; }

  bool AbsorbActivation(const Node& next) {
    if (next.op != &kActivation || fused_.activation != ActivationKind::kNone ||
        input(fused_.scale()) != kNoValue || input(fused_.residual()) != kNoValue) {
      return false;
    }
    fused_.activation = next.attributes.get<ActivationOp>().kind;
    Replace(next, node().inputs);
    return true;
  }

  bool AbsorbScale(const Node& next) {
    if (!IsBinary(next, BinaryKind::kMul) || input(fused_.scale()) != kNoValue ||
        input(fused_.residual()) != kNoValue) {
      return false;
    }
    const ValueInfo& factor = graph_.value(Other(next));
    const ValueType& result = graph_.value(node().outputs[0]).type;
    if (factor.kind != ValueKind::kWeight || factor.type.rank() != 1 ||
        !(factor.type.dim(0) == result.dim(-1))) {
      return false;
    }
    std::vector<int> inputs = node().inputs;
    inputs[static_cast<size_t>(fused_.scale())] = Other(next);
    Replace(next, std::move(inputs));
    return true;
  }

  bool AbsorbResidual(const Node& next) {
    if (!IsBinary(next, BinaryKind::kAdd) || input(fused_.residual()) != kNoValue) return false;
    const int other = Other(next);
    if (graph_.value(other).type.shape != graph_.value(node().outputs[0]).type.shape) return false;
    std::vector<int> inputs = node().inputs;
    inputs[static_cast<size_t>(fused_.residual())] = other;
    Replace(next, std::move(inputs));
    return true;
  }

  static bool IsBinary(const Node& candidate, BinaryKind kind) {
    return candidate.op == &kBinary && candidate.attributes.get<Binary>().kind == kind;
  }

  int Other(const Node& binary) {
    return binary.inputs[0] == node().outputs[0] ? binary.inputs[1] : binary.inputs[0];
  }

  void Replace(const Node& next, std::vector<int> inputs) {
    Node grown = node();
    grown.inputs = std::move(inputs);
    grown.attributes = Attributes::Of(fused_);
    node_id_ = TakeOver(graph_, node_id_, next.id, std::move(grown));
  }

  Graph& graph_;
  int node_id_;
  FusedLinear fused_;
};

}  // namespace

void FuseEpilogue(Graph& graph, const PassContext&) {
  Normalise(graph);
  std::vector<int> linears;
  for (const Node& node : graph.nodes()) {
    // A gated product's last step holds nothing more.
    const bool open = node.op == &kFusedLinear && !node.attributes.get<FusedLinear>().gated;
    if (open) linears.push_back(node.id);
  }
  for (int id : linears) Chain(graph, id).Absorb();
}

}  // namespace vernier
