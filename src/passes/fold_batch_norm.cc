#include <algorithm>
#include <vector>

#include "ops/conv.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

bool AllWeights(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                     [&](int input) { return input != kNoValue && IsWeight(graph, input); });
}

// The convolution or linear with the terms of its norm among its operands.
Node WithNorm(const Node& product, const Node& norm) {
  Node grown = product;
  const double eps = norm.attributes.get<BatchNorm>().eps;
  if (product.op == &kConv2d) {
    const FusedConv2d fused{.conv = product.attributes.get<Conv2d>(), .eps = eps};
    grown.op = &kFusedConv2d;
    grown.inputs.resize(FusedConv2d::kGain, kNoValue);
    grown.attributes = Attributes::Of(fused);
  } else {
    const FusedLinear fused{.norm = true, .eps = eps};
    grown.op = &kFusedLinear;
    grown.inputs.resize(static_cast<size_t>(fused.gain()), kNoValue);
    grown.attributes = Attributes::Of(fused);
  }
  grown.inputs.insert(grown.inputs.end(), norm.inputs.begin() + 1, norm.inputs.end());
  if (product.op == &kConv2d) grown.inputs.resize(FusedConv2d::kInputs, kNoValue);
  return grown;
}

// A norm's channels are the second axis, a linear's results the last one.
bool SameChannels(const Graph& graph, const Node& product) {
  return product.op == &kConv2d || graph.value(product.outputs[0]).type.rank() == 2;
}

}  // namespace

// The norm's terms become operands of the product, whose weights are folded when they are packed:
// in double and rounded once, whatever the type that they are packed as.
void FoldBatchNorm(Graph& graph, const PassContext&) {
  std::vector<int> products;
  for (const Node& node : graph.nodes()) {
    const bool product = node.op == &kConv2d || node.op == &kLinear;
    if (product && AllWeights(graph, node) && SameChannels(graph, node)) {
      products.push_back(node.id);
    }
  }
  for (int id : products) {
    const Node& product = graph.nodes()[graph.IndexOf(id)];
    const Node* norm = OnlyConsumer(graph, product.outputs[0]);
    if (norm == nullptr || norm->op != &kBatchNorm || norm->inputs[0] != product.outputs[0] ||
        !AllWeights(graph, *norm)) {
      continue;
    }
    TakeOver(graph, id, norm->id, WithNorm(product, *norm));
  }
}

}  // namespace vernier
