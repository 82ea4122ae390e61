// What passes share that change which nodes there are.
#pragma once

#include "graph/graph.h"

namespace vernier {

bool IsOutput(const Graph& graph, int value);
bool IsWeight(const Graph& graph, int value);

/// The branch that computes `value`; the trunk for what is given. A copy of a value belongs there,
/// whoever reads it.
int BranchOf(const Graph& graph, int value);

/// The one node that reads `value`, and reads it once; null where there are others, or where the
/// value is an output.
const Node* OnlyConsumer(const Graph& graph, int value);

/// `next` leaves the graph and node `node_id`, changed to `grown`, stands in its place and gives
/// its results; what the node gave before is computed no more. The new node's id.
int TakeOver(Graph& graph, int node_id, int next, Node grown);

}  // namespace vernier
