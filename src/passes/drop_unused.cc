#include "passes/pass.h"

namespace vernier {
namespace {

// A node that writes a state has an effect beyond its value.
bool WritesState(const Graph& graph, const Node& node) {
  return !node.inputs.empty() && node.inputs[0] != kNoValue &&
         graph.value(node.inputs[0]).kind == ValueKind::kState &&
         std::string_view(node.op->name) == "KvAppend";
}

}  // namespace

void DropUnused(Graph& graph, const PassContext&) {
  const std::vector<bool> needed = NeededNodes(graph);
  for (size_t i = 0; i < needed.size(); ++i) {
    Node& node = graph.mutable_nodes()[i];
    if (needed[i] || WritesState(graph, node)) continue;
    for (int output : node.outputs) graph.mutable_value(output).producer = -1;
    node.op = nullptr;
  }
  graph.Compact();
}

}  // namespace vernier
