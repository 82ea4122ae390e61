#include <algorithm>

#include "ops/elementwise.h"
#include "ops/linear.h"
#include "passes/pass.h"

namespace vernier {
namespace {

// A gated feed-forward: act(x * gate) . (x * value), whose parts nothing else reads.
struct Gated {
  int gate;  // node ids
  int activation;
  int value;
  int product;
};

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), consumers_(graph.Consumers()) {}

  std::vector<Gated> All() const {
    std::vector<Gated> found;
    for (const Node& node : graph_.nodes()) {
      if (node.op != &kBinary || node.attributes.get<Binary>().kind != BinaryKind::kMul) continue;
      for (const auto& [left, right] :
           {std::pair{node.inputs[0], node.inputs[1]}, {node.inputs[1], node.inputs[0]}}) {
        if (const Node* activation = Only(left, &kActivation)) {
          const Node* gate = OnlyLinear(activation->inputs[0]);
          const Node* value = OnlyLinear(right);
          if (gate == nullptr || value == nullptr || !Pair(*gate, *value)) continue;
          found.push_back({gate->id, activation->id, value->id, node.id});
          break;
        }
      }
    }
    return found;
  }

 private:
  // The producer of a value that one node alone reads, if it is of this op.
  const Node* Only(int value, const OpDef* op) const {
    const bool is_output = std::ranges::any_of(
        graph_.outputs(), [&](const auto& output) { return output.value == value; });
    if (is_output || consumers_[static_cast<size_t>(value)].size() != 1) return nullptr;
    const Node* producer = graph_.producer(value);
    return producer != nullptr && producer->op == op ? producer : nullptr;
  }

  const Node* OnlyLinear(int value) const {
    const Node* linear = Only(value, &kLinear);
    if (linear == nullptr || graph_.value(linear->inputs[1]).kind != ValueKind::kWeight) {
      return nullptr;
    }
    const bool biased = linear->inputs.size() > 2 && linear->inputs[2] != kNoValue;
    return biased ? nullptr : linear;
  }

  bool Pair(const Node& gate, const Node& value) const {
    const auto width = [&](const Node& node) { return graph_.value(node.inputs[1]).type.dim(0); };
    return gate.inputs[0] == value.inputs[0] && gate.precision == value.precision &&
           gate.branch == value.branch && width(gate) == width(value);
  }

  const Graph& graph_;
  std::vector<std::vector<int>> consumers_;
};

void Fuse(Graph& graph, const Gated& gated) {
  const auto node = [&](int id) { return graph.nodes()[graph.IndexOf(id)]; };
  FusedLinear attributes{.parts = 2, .gated = true};
  attributes.activation = node(gated.activation).attributes.get<ActivationOp>().kind;
  Node fused = node(gated.gate);
  const int value_weight = node(gated.value).inputs[1];
  fused.op = &kFusedLinear;
  fused.inputs = {fused.inputs[0], fused.inputs[1], value_weight, kNoValue,
                  kNoValue,        kNoValue,        kNoValue};
  fused.attributes = Attributes::Of(attributes);
  fused.name = node(gated.product).name;
  fused.outputs = node(gated.product).outputs;
  for (int id : {gated.gate, gated.activation, gated.value}) {
    for (int output : node(id).outputs) graph.mutable_value(output).producer = -1;
  }
  graph.InsertNode(std::move(fused), gated.product);
  for (int id : {gated.gate, gated.activation, gated.value, gated.product}) {
    graph.mutable_nodes()[graph.IndexOf(id)].op = nullptr;
  }
  graph.Compact();
}

}  // namespace

void FuseGates(Graph& graph, const PassContext&) {
  for (const Gated& gated : Finder(graph).All()) Fuse(graph, gated);
}

}  // namespace vernier
