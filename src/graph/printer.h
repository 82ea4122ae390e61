// A graph as text for people, and as Graphviz input.
#pragma once

#include <string>

#include "graph/graph.h"

namespace vernier {

/// One line per node: name, op with attributes, inputs, output type, precision.
std::string PrintText(const Graph& graph);
/// A digraph for `dot`; weights are left out.
std::string PrintDot(const Graph& graph);

}  // namespace vernier
