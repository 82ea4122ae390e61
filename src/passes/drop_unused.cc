#include "passes/pass.h"

namespace vernier {
void DropUnused(Graph& graph, const PassContext&) {
  const std::vector<bool> needed = NeededNodes(graph);
  for (size_t i = 0; i < needed.size(); ++i) {
    Node& node = graph.mutable_nodes()[i];
    if (needed[i]) continue;
    for (int output : node.outputs) graph.mutable_value(output).producer = -1;
    node.op = nullptr;
  }
  graph.Compact();
}

}  // namespace vernier
