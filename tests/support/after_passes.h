// What passes leave of a graph.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "passes/pass.h"

namespace vernier::testing {

using GraphPass = void (*)(Graph&, const PassContext&);

/// Op names of the graph after the passes, in order.
inline std::vector<std::string> OpsAfter(Graph& graph, std::initializer_list<GraphPass> passes) {
  const PrecisionRules none;
  for (GraphPass pass : passes) {
    pass(graph, {.rules = none, .wanted = {}, .can_emit = {}});
    Verify(graph);
  }
  std::vector<std::string> ops;
  for (const Node& node : graph.nodes()) ops.emplace_back(node.op->name);
  return ops;
}

}  // namespace vernier::testing
