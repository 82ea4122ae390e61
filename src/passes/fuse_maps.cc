#include <vector>

#include "ops/elementwise.h"
#include "ops/map_ops.h"
#include "ops/norm.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

// ReLU behind a group norm is taken while the map is scaled.
void AbsorbRelu(Graph& graph, int id) {
  const Node& norm = graph.nodes()[graph.IndexOf(id)];
  const Node* next = OnlyConsumer(graph, norm.outputs[0]);
  if (next == nullptr || next->op != &kActivation ||
      next->attributes.get<ActivationOp>().kind != ActivationKind::kRelu) {
    return;
  }
  Node fused = norm;
  fused.op = &kFusedGroupNorm;
  fused.attributes = Attributes::Of(FusedGroupNorm{.norm = norm.attributes.get<GroupNorm>(),
                                                   .activation = ActivationKind::kRelu});
  TakeOver(graph, id, next->id, std::move(fused));
}

// A resized map that is only added to another need not be stored: numbers are rounded as before,
// first resized, then added.
void AbsorbSum(Graph& graph, int id) {
  const Node& resize = graph.nodes()[graph.IndexOf(id)];
  const int resized = resize.outputs[0];
  const Node* next = OnlyConsumer(graph, resized);
  if (next == nullptr || next->op != &kBinary ||
      next->attributes.get<Binary>().kind != BinaryKind::kAdd) {
    return;
  }
  const int addend = next->inputs[0] == resized ? next->inputs[1] : next->inputs[0];
  if (graph.value(addend).type.shape != graph.value(resized).type.shape) return;
  Node fused = *next;
  fused.op = &kResizeAdd;
  fused.attributes = Attributes::Of(ResizeAdd{resize.attributes.get<ResizeMap>()});
  fused.inputs = {resize.inputs[0], addend};
  TakeOver(graph, id, next->id, std::move(fused));
}

}  // namespace

void FuseMaps(Graph& graph, const PassContext&) {
  std::vector<int> norms, resizes;
  for (const Node& node : graph.nodes()) {
    if (node.op == &kGroupNorm) norms.push_back(node.id);
    if (node.op == &kResizeMap) resizes.push_back(node.id);
  }
  for (int id : norms) AbsorbRelu(graph, id);
  for (int id : resizes) AbsorbSum(graph, id);
}

}  // namespace vernier
