// Layouts for convolutional nets: a node whose kernel is best on channels-last maps gets and gives
// them, nodes that take either follow what they read, and a map is reordered where a reader takes
// another layout than its producer gives, once for all such readers.
#include <algorithm>
#include <map>

#include "ops/shape_ops.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

class LayoutChooser {
 public:
  LayoutChooser(Graph& graph, const PassContext& context) : graph_(graph), context_(context) {}

  void Run() {
    std::vector<int> order;
    for (const Node& node : graph_.nodes()) order.push_back(node.id);
    for (int id : order) Settle(id);
  }

 private:
  bool IsMap(int value) const {
    if (value == kNoValue) return false;
    const ValueInfo& info = graph_.value(value);
    return info.kind != ValueKind::kWeight && info.type.rank() == 4;
  }

  Layout LayoutOf(int value) const { return graph_.value(value).layout; }

  // The layout of a node's results, and of its operands but for a first one that may lie either
  // way.
  Layout Wanted(const Node& node, MapSupport support) const {
    const auto lies_so = [this](int value) {
      return IsMap(value) && LayoutOf(value) == Layout::kChannelsLast;
    };
    // Weights lie as the checkpoint has them.
    const auto is_fixed = [this](int value) {
      return value != kNoValue && IsWeight(graph_, value) && graph_.value(value).type.rank() == 4;
    };
    const bool channels_last =
        support == MapSupport::kChannelsLast ||
        (support == MapSupport::kAlike && std::ranges::any_of(node.inputs, lies_so) &&
         std::ranges::none_of(node.inputs, is_fixed));
    return channels_last ? Layout::kChannelsLast : Layout::kRowMajor;
  }

  void Settle(int id) {
    Node node = graph_.nodes()[graph_.IndexOf(id)];
    const MapSupport support = context_.maps(graph_, node);
    const Layout wanted = Wanted(node, support);
    const size_t first = support == MapSupport::kChannelsLast ? 1 : 0;
    for (size_t i = first; i < node.inputs.size(); ++i) {
      const int input = node.inputs[i];
      if (IsMap(input) && LayoutOf(input) != wanted) node.inputs[i] = Reordered(input, wanted, id);
    }
    graph_.mutable_nodes()[graph_.IndexOf(id)].inputs = node.inputs;
    for (int output : node.outputs) {
      if (IsMap(output)) graph_.mutable_value(output).layout = wanted;
    }
  }

  // The map in the other layout than its own, made before the first node that reads it so.
  int Reordered(int value, Layout to, int before) {
    if (const auto found = copies_.find(value); found != copies_.end()) return found->second;
    const ValueInfo& from = graph_.value(value);
    const std::string name = from.name + "#" + Name(to);
    const int copy = graph_.NewValue({.type = from.type, .name = name, .layout = to});
    graph_.InsertNode({.op = &kReorder,
                       .attributes = Attributes::Of(Reorder{to}),
                       .name = name,
                       .inputs = {value},
                       .outputs = {copy},
                       .branch = BranchOf(graph_, value)},
                      before);
    copies_.emplace(value, copy);
    return copy;
  }

  Graph& graph_;
  const PassContext& context_;
  std::map<int, int> copies_;  // by value
};

}  // namespace

void ChooseLayouts(Graph& graph, const PassContext& context) {
  if (context.maps) LayoutChooser(graph, context).Run();
}

}  // namespace vernier
