#include "passes/pass.h"

namespace vernier {

void AssignPrecision(Graph& graph, const PassContext& context) {
  for (Node& node : graph.mutable_nodes()) {
    if (!TakesPrecision(node)) continue;
    for (const PrecisionRule& rule : context.rules) {
      if (Matches(rule, graph, node)) node.precision = rule.precision;
    }
  }
}

}  // namespace vernier
