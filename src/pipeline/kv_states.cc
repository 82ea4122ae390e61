#include "pipeline/kv_states.h"

#include <algorithm>

#include "core/check.h"
#include "core/rounding.h"
#include "ops/attention.h"

namespace vernier {
namespace {

// Heads and types of a cache, from the attention that reads it.
KvLayout LayoutOf(const Graph& graph, int state) {
  const ValueInfo& info = graph.value(state);
  for (const Node& node : graph.nodes()) {
    if (node.op != &kCachedAttention) continue;
    int read = node.inputs[1];
    if (const Node* append = graph.producer(read); append != nullptr) read = append->inputs[0];
    if (read != state) continue;
    const int64_t heads = node.attributes.get<CachedAttention>().kv_heads;
    return {.kv_heads = heads,
            .head_dim = info.type.dim(-1).constant() / heads,
            .dtype = info.type.dtype};
  }
  VN_CHECK(false, info.name + " is read by no attention");
  return {};
}

}  // namespace

int64_t InWholeBlocks(int64_t tokens) {
  constexpr int64_t kBlock = KvView::kBlockTokens;
  return RoundUp(tokens, kBlock);
}

bool GrowsWithSequences(const Graph& graph, int state) {
  return graph.value(state).type.dim(0).HasRuntimeSymbol();
}

KvStates::KvStates(const Graph& graph, int64_t rows, int64_t tokens,
                   const std::function<bool(int state)>& wanted) {
  HugePagePool pool;
  for (size_t id = 0; id < graph.values().size(); ++id) {
    const ValueInfo& info = graph.values()[id];
    const int state = static_cast<int>(id);
    if (info.kind != ValueKind::kState || !wanted(state)) continue;
    states_.emplace(info.name,
                    std::make_unique<KvState>(rows, tokens, LayoutOf(graph, state), &pool));
  }
}

void KvStates::AddTo(NamedStates& states) {
  for (const auto& [name, state] : states_) states.emplace(name, &state->view());
}

void KvStates::AddRowTo(int64_t row, NamedStates& states) {
  of_one_row_.clear();
  of_one_row_.reserve(states_.size());
  for (const auto& [name, state] : states_) {
    of_one_row_.push_back(state->RowView(row));
    states.emplace(name, &of_one_row_.back());
  }
}

void KvStates::Clear() {
  for (const auto& [name, state] : states_) state->Clear();
}

void KvStates::Select(std::span<const int32_t> parents) {
  for (const auto& [name, state] : states_) state->Select(parents);
}

void KvStates::SetLengths(std::span<const int64_t> lengths) {
  for (const auto& [name, state] : states_) std::ranges::copy(lengths, state->view().lengths);
}

size_t KvStates::bytes() const {
  size_t bytes = 0;
  for (const auto& [name, state] : states_) bytes += state->bytes();
  return bytes;
}

}  // namespace vernier
