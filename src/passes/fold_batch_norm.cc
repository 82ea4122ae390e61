#include <algorithm>
#include <vector>

#include "ops/conv.h"
#include "ops/norm.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

bool AllWeights(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                     [&](int input) { return input != kNoValue && IsWeight(graph, input); });
}

}  // namespace

// The norm's terms become operands of the product, whose weights are folded when they are packed:
// in double and rounded once, whatever the type that they are packed as.
void FoldBatchNorm(Graph& graph, const PassContext&) {
  std::vector<int> convolutions;
  for (const Node& node : graph.nodes()) {
    if (node.op == &kConv2d) convolutions.push_back(node.id);
  }
  for (int id : convolutions) {
    const Node& conv = graph.nodes()[graph.IndexOf(id)];
    const Node* norm = OnlyConsumer(graph, conv.outputs[0]);
    if (norm == nullptr || norm->op != &kBatchNorm || norm->inputs[0] != conv.outputs[0]) continue;
    if (!AllWeights(graph, conv) || !AllWeights(graph, *norm)) continue;
    Node grown = conv;
    grown.op = &kFusedConv2d;
    grown.inputs.resize(FusedConv2d::kInputs, kNoValue);
    std::copy(norm->inputs.begin() + 1, norm->inputs.end(),
              grown.inputs.begin() + FusedConv2d::kGain);
    grown.attributes = Attributes::Of(FusedConv2d{.conv = conv.attributes.get<Conv2d>(),
                                                  .eps = norm->attributes.get<BatchNorm>().eps});
    TakeOver(graph, id, norm->id, std::move(grown));
  }
}

}  // namespace vernier
