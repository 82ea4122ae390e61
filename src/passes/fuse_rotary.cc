#include <algorithm>
#include <optional>

#include "ops/attention.h"
#include "ops/rope.h"
#include "passes/pass.h"

namespace vernier {
namespace {

// The rotation that makes `value`, when nothing but `reader` takes it; null otherwise.
const Node* OnlyRotationOf(const Graph& graph, int value, const Node& reader) {
  const Node* rotation = graph.producer(value);
  if (rotation == nullptr || rotation->op != &kRope) return nullptr;
  for (const auto& output : graph.outputs()) {
    if (output.value == value) return nullptr;
  }
  for (const Node& node : graph.nodes()) {
    if (node.id != reader.id && std::ranges::count(node.inputs, value) > 0) return nullptr;
  }
  return rotation;
}

// The segments of packed tokens, kNoValue for others; nothing where attention has inputs that go
// with no rotation.
std::optional<int> SegmentsOf(const Node& attention) {
  const std::vector<int>& inputs = attention.inputs;
  for (size_t i = 3; i < inputs.size(); ++i) {
    if (i != Attention::kSegments && inputs[i] != kNoValue) return std::nullopt;
  }
  return inputs.size() > Attention::kSegments ? inputs[Attention::kSegments] : kNoValue;
}

}  // namespace

void FuseRotary(Graph& graph, const PassContext&) {
  std::vector<int> rotations;
  for (Node& node : graph.mutable_nodes()) {
    if (node.op != &kAttention) continue;
    const std::optional<int> segments = SegmentsOf(node);
    if (!segments) continue;
    const Node* query = OnlyRotationOf(graph, node.inputs[0], node);
    const Node* key = OnlyRotationOf(graph, node.inputs[1], node);
    if (query == nullptr || key == nullptr) continue;
    const Rope& rope = query->attributes.get<Rope>();
    // Tables of their own for the entries of a batch stay with Rope.
    if (graph.value(query->inputs[1]).type.rank() != 2) continue;
    const bool same_tables =
        query->inputs[1] == key->inputs[1] && query->inputs[2] == key->inputs[2];
    if (!same_tables || rope.interleaved != key->attributes.get<Rope>().interleaved) continue;
    const RotaryAttention rotary{node.attributes.get<Attention>(), rope.interleaved};
    rotations.push_back(query->id);
    rotations.push_back(key->id);
    node.inputs = {query->inputs[0], key->inputs[0], node.inputs[2], query->inputs[1],
                   query->inputs[2]};
    if (*segments != kNoValue) node.inputs.push_back(*segments);
    node.op = &kRotaryAttention;
    node.attributes = Attributes::Of(rotary);
  }
  for (int id : rotations) {
    Node& rotation = graph.mutable_nodes()[graph.IndexOf(id)];
    graph.mutable_value(rotation.outputs[0]).producer = -1;
    rotation.op = nullptr;
  }
  graph.Compact();
}

}  // namespace vernier
