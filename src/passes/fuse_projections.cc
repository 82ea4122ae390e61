#include <map>
#include <string>
#include <utility>

#include "ops/linear.h"
#include "ops/shape_ops.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

int Bias(const Node& linear) { return linear.inputs.size() > 2 ? linear.inputs[2] : kNoValue; }

std::string ParentModule(const Node& node) {
  const size_t dot = node.name.rfind('.');
  return dot == std::string::npos ? "" : node.name.substr(0, dot);
}

// Linears of the checkpoint's weights that stand in one module, read the same input and agree in
// precision and branch, by input value and module. Modules stay apart, because an input that all
// layers read, such as an encoder's result, would make one product of them all with as large a
// result.
std::map<std::pair<int, std::string>, std::vector<int>> Siblings(const Graph& graph) {
  std::map<std::pair<int, std::string>, std::vector<int>> groups;
  for (const Node& node : graph.nodes()) {
    if (node.op != &kLinear || !IsWeight(graph, node.inputs[1])) continue;
    if (Bias(node) != kNoValue && !IsWeight(graph, Bias(node))) continue;
    std::vector<int>& group = groups[{node.inputs[0], ParentModule(node)}];
    if (!group.empty()) {
      const Node& first = graph.nodes()[graph.IndexOf(group.front())];
      if (!(first.precision == node.precision) || first.branch != node.branch) continue;
    }
    group.push_back(node.id);
  }
  return groups;
}

void Fuse(Graph& graph, const std::vector<int>& group) {
  std::vector<Node> parts;
  for (int id : group) parts.push_back(graph.nodes()[graph.IndexOf(id)]);
  const FusedLinear attributes{.parts = static_cast<int>(parts.size())};
  Node fused = parts.front();
  fused.op = &kFusedLinear;
  fused.attributes = Attributes::Of(attributes);
  fused.name = parts.front().name + "#projections";
  fused.inputs.assign(static_cast<size_t>(attributes.inputs()), kNoValue);
  fused.inputs[0] = parts.front().inputs[0];
  ValueType type = graph.value(parts.front().outputs[0]).type;
  Dim width = 0;
  for (int i = 0; i < attributes.parts; ++i) {
    const Node& part = parts[static_cast<size_t>(i)];
    fused.inputs[static_cast<size_t>(attributes.weight(i))] = part.inputs[1];
    fused.inputs[static_cast<size_t>(attributes.bias(i))] = Bias(part);
    width = width + graph.value(part.outputs[0]).type.dim(-1);
  }
  const int axis = type.rank() - 1;
  type.shape.back() = width;
  const int joined = graph.NewValue({.type = type, .name = fused.name});
  fused.outputs = {joined};
  graph.InsertNode(std::move(fused), group.front());
  Dim begin = 0;
  for (const Node& part : parts) {
    const Dim length = graph.value(part.outputs[0]).type.dim(-1);
    Node slice = part;
    slice.op = &kSlice;
    slice.attributes = Attributes::Of(Slice{axis, begin, length});
    slice.inputs = {joined};
    slice.precision = {};
    graph.InsertNode(std::move(slice), group.front());
    begin = begin + length;
  }
  for (int id : group) graph.mutable_nodes()[graph.IndexOf(id)].op = nullptr;
  graph.Compact();
}

}  // namespace

void FuseProjections(Graph& graph, const PassContext&) {
  for (const auto& [place, group] : Siblings(graph)) {
    if (group.size() > 1) Fuse(graph, group);
  }
}

}  // namespace vernier
