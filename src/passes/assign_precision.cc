#include <algorithm>

#include "ops/attention.h"
#include "ops/linear.h"
#include "passes/pass.h"

namespace vernier {
namespace {

bool Multiplies(const Node& node) { return node.op == &kLinear || node.op == &kAttention; }

bool Matches(const PrecisionRule& rule, const Graph& graph, const Node& node) {
  if (GlobMatches(rule.pattern, node.name)) return true;
  return std::ranges::any_of(node.outputs, [&](int output) {
    return std::ranges::any_of(graph.value(output).aliases, [&](const std::string& alias) {
      return GlobMatches(rule.pattern, alias);
    });
  });
}

}  // namespace

void AssignPrecision(Graph& graph, const PassContext& context) {
  for (Node& node : graph.mutable_nodes()) {
    if (!Multiplies(node)) continue;
    for (const PrecisionRule& rule : context.rules) {
      if (Matches(rule, graph, node)) node.precision = rule.precision;
    }
  }
}

}  // namespace vernier
