#include <algorithm>
#include <vector>

#include "passes/pass.h"

namespace vernier {
namespace {

bool Touches(const Node& node, int value) {
  return std::ranges::count(node.inputs, value) > 0 || std::ranges::count(node.outputs, value) > 0;
}

// The state and the versions that writes yield.
std::vector<int> Versions(const Graph& graph, int state) {
  std::vector<int> versions = {state};
  for (const Node& node : graph.nodes()) {
    if (node.op->writes_state && node.inputs[0] == versions.back()) {
      versions.push_back(node.outputs[0]);
    }
  }
  return versions;
}

// A cache has a dtype of its own: that of the rule for its name, where the backend's kernels can
// store and read it.
void AssignStates(Graph& graph, const PassContext& context) {
  for (size_t id = 0; id < graph.values().size(); ++id) {
    if (graph.values()[id].kind != ValueKind::kState) continue;
    Precision wanted;
    for (const PrecisionRule& rule : context.rules) {
      if (GlobMatches(rule.pattern, graph.values()[id].name)) wanted = rule.precision;
    }
    if (wanted.output != DType::kBF16) continue;
    const std::vector<int> versions = Versions(graph, static_cast<int>(id));
    const bool can = std::ranges::all_of(graph.nodes(), [&](const Node& node) {
      const bool touches =
          std::ranges::any_of(versions, [&](int version) { return Touches(node, version); });
      return !touches || context.can_emit(graph, node, DType::kBF16);
    });
    if (!can) continue;
    for (int version : versions) graph.mutable_value(version).type.dtype = DType::kBF16;
  }
}

}  // namespace

void AssignPrecision(Graph& graph, const PassContext& context) {
  for (Node& node : graph.mutable_nodes()) {
    if (!TakesPrecision(node)) continue;
    for (const PrecisionRule& rule : context.rules) {
      if (Matches(rule, graph, node)) node.precision = rule.precision;
    }
  }
  AssignStates(graph, context);
}

}  // namespace vernier
