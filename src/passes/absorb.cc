#include "passes/absorb.h"

#include <algorithm>

namespace vernier {

bool IsOutput(const Graph& graph, int value) {
  return std::ranges::any_of(graph.outputs(), [&](auto& output) { return output.value == value; });
}

bool IsWeight(const Graph& graph, int value) {
  return graph.value(value).kind == ValueKind::kWeight;
}

int BranchOf(const Graph& graph, int value) {
  const Node* producer = graph.producer(value);
  return producer == nullptr ? 0 : producer->branch;
}

const Node* OnlyConsumer(const Graph& graph, int value) {
  if (IsOutput(graph, value)) return nullptr;
  const Node* only = nullptr;
  for (const Node& candidate : graph.nodes()) {
    const auto reads = std::ranges::count(candidate.inputs, value);
    if (reads == 0) continue;
    if (only != nullptr || reads > 1) return nullptr;
    only = &candidate;
  }
  return only;
}

int TakeOver(Graph& graph, int node_id, int next, Node grown) {
  for (int output : graph.nodes()[graph.IndexOf(node_id)].outputs) {
    graph.mutable_value(output).producer = -1;
  }
  grown.outputs = graph.nodes()[graph.IndexOf(next)].outputs;
  const int moved = graph.InsertNode(std::move(grown), next).id;
  graph.mutable_nodes()[graph.IndexOf(node_id)].op = nullptr;
  graph.mutable_nodes()[graph.IndexOf(next)].op = nullptr;
  graph.Compact();
  return moved;
}

}  // namespace vernier
