// Passes turn a model's graph into a program's graph. They keep every value's id: a value that no
// step computes any more loses its producer and nothing else, so that taps can still find it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "passes/precision_rules.h"

namespace vernier {

struct PassContext {
  const PrecisionRules& rules;
  /// The names of the passes that the backend wants.
  std::vector<std::string> wanted;
  /// Whether the backend's kernel for the node can store its result as the type, and read its
  /// multiplied or moved operands as it.
  std::function<bool(const Graph&, const Node&, DType)> can_emit;
  /// What the backend's kernel for the node does with channels-last maps; empty: nothing.
  std::function<MapSupport(const Graph&, const Node&)> maps = {};
};

struct Pass {
  const char* name;
  const char* what;  // one line for --passes list
  void (*run)(Graph&, const PassContext&);
};

/// All passes in the order in which they run.
std::span<const Pass> AllPasses();

/// Runs the wanted passes without the disabled ones, verifying the graph after each.
/// Throws Error{kUsage} for an unknown name in `disabled`. `observe` may be empty.
void RunPasses(Graph& graph, const PassContext& context, const std::vector<std::string>& disabled,
               const std::function<void(std::string_view pass, const Graph&)>& observe);

void DropUnused(Graph& graph, const PassContext& context);
void AssignPrecision(Graph& graph, const PassContext& context);
void FuseGates(Graph& graph, const PassContext& context);
void FuseProjections(Graph& graph, const PassContext& context);
void FuseEpilogue(Graph& graph, const PassContext& context);
void FoldBatchNorm(Graph& graph, const PassContext& context);
void FuseMaps(Graph& graph, const PassContext& context);
void FuseConvolutions(Graph& graph, const PassContext& context);
void FuseRotary(Graph& graph, const PassContext& context);
void PlaceCasts(Graph& graph, const PassContext& context);
void ChooseLayouts(Graph& graph, const PassContext& context);

}  // namespace vernier
