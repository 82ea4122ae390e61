#include <algorithm>
#include <map>

#include "core/check.h"
#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/elementwise.h"
#include "ops/linear.h"
#include "ops/map_ops.h"
#include "ops/rope.h"
#include "ops/shape_ops.h"
#include "passes/absorb.h"
#include "passes/pass.h"

namespace vernier {
namespace {

// Ops whose kernels take f32 and store bf16 themselves.
bool Converts(const Node& node) {
  constexpr const OpDef* kOps[] = {&kConcat, &kKvAppend, &kResizeAdd, &kResizeMap, &kRope};
  return std::ranges::count(kOps, node.op) > 0;
}

// Ops that move an operand, so that rounding before them or after is the same, or nearly so in a
// blend of neighbours. What a resized map is added to keeps its digits up to the sum.
bool Moves(const Node& node, size_t operand) {
  if (node.op == &kConcat) return true;
  constexpr const OpDef* kOps[] = {&kMaxPool2d, &kResizeAdd, &kResizeMap, &kRope};
  return operand == 0 && std::ranges::count(kOps, node.op) > 0;
}

bool IsView(const Node& node) { return node.op == &kSlice || node.op == &kReshape; }

class CastPlacer {
 public:
  CastPlacer(Graph& graph, const PassContext& context) : graph_(graph), context_(context) {}

  void Run() {
    wants_half_.assign(graph_.values().size(), false);
    const auto& nodes = graph_.nodes();
    for (size_t i = nodes.size(); i-- > 0;) {
      for (int output : nodes[i].outputs) {
        wants_half_[static_cast<size_t>(output)] = AllReadersWantHalf(output);
      }
    }
    std::vector<int> order;
    for (const Node& node : nodes) order.push_back(node.id);
    for (int id : order) Settle(id);
  }

 private:
  // A residual is taken in bf16 where it is kept so, but that alone is no reason to round it.
  static bool TakesEither(const Node& node, size_t operand) {
    return node.op == &kFusedConv2d && operand == FusedConv2d::kResidual;
  }

  // Whether this operand is multiplied in bf16, or only moved to where it is.
  bool ReaderWantsHalf(const Node& node, size_t operand) const {
    const bool result_half = wants_half_[static_cast<size_t>(node.outputs[0])];
    if (IsView(node)) return result_half;
    if (!context_.can_emit(graph_, node, DType::kBF16)) return false;
    const bool half = node.precision.multiply == DType::kBF16;
    if (node.op == &kLinear || node.op == &kFusedLinear) return half && operand == 0;
    if (node.op == &kConv2d || node.op == &kFusedConv2d) {
      return half && (operand == FusedConv2d::kX || operand == FusedConv2d::kResidual);
    }
    if (node.op == &kAttention || node.op == &kRotaryAttention) return half && operand < 3;
    if (node.op == &kKvAppend) return operand > 0 && IsHalf(node.inputs[0]);
    return Moves(node, operand) && result_half;
  }

  bool IsHalf(int value) const { return graph_.value(value).type.dtype == DType::kBF16; }

  bool AllReadersWantHalf(int value) const {
    const bool is_output = std::ranges::any_of(
        graph_.outputs(), [&](const auto& output) { return output.value == value; });
    if (is_output) return false;
    bool any = false;
    for (const Node& node : graph_.nodes()) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] != value) continue;
        if (!ReaderWantsHalf(node, i)) return false;
        any = true;
      }
    }
    return any;
  }

  // Casts the node's operands where needed, then decides how its results are stored.
  void Settle(int id) {
    Node node = graph_.nodes()[graph_.IndexOf(id)];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int input = node.inputs[i];
      if (input == kNoValue || IsView(node) || Converts(node) || TakesEither(node, i)) continue;
      if (ReaderWantsHalf(node, i) && graph_.value(input).type.dtype == DType::kF32) {
        node.inputs[i] = HalfCopy(input, id);
      }
    }
    graph_.mutable_nodes()[graph_.IndexOf(id)].inputs = node.inputs;
    for (int output : node.outputs) {
      DType& dtype = graph_.mutable_value(output).type.dtype;
      if (IsView(node)) {
        dtype = graph_.value(node.inputs[0]).type.dtype;
      } else if (wants_half_[static_cast<size_t>(output)] &&
                 context_.can_emit(graph_, node, DType::kBF16)) {
        dtype = DType::kBF16;
      }
    }
  }

  int HalfCopy(int value, int before) {
    if (const auto found = copies_.find(value); found != copies_.end()) return found->second;
    ValueInfo info{.type = graph_.value(value).type, .name = graph_.value(value).name + "#bf16"};
    info.type.dtype = DType::kBF16;
    const std::string name = info.name;
    const int copy = graph_.NewValue(std::move(info));
    graph_.InsertNode({.op = &kCast,
                       .attributes = Attributes::Of(Cast{DType::kBF16}),
                       .name = name,
                       .inputs = {value},
                       .outputs = {copy},
                       .branch = BranchOf(graph_, value)},
                      before);
    copies_.emplace(value, copy);
    wants_half_.push_back(true);
    return copy;
  }

  Graph& graph_;
  const PassContext& context_;
  std::vector<bool> wants_half_;  // by value: every reader takes it in bf16
  std::map<int, int> copies_;
};

}  // namespace

void PlaceCasts(Graph& graph, const PassContext& context) { CastPlacer(graph, context).Run(); }

}  // namespace vernier
