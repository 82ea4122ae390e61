// KvStates: the key-value caches of a decoder's layers, one for each state of its graph. Used by
// one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/context.h"
#include "runtime/state.h"

namespace vernier {

/// Tokens that fill blocks of a cache, `tokens` at least.
int64_t InWholeBlocks(int64_t tokens);

/// Whether a state has a row for each sequence, so that it grows as they do; else it has one for
/// each picture.
bool GrowsWithSequences(const Graph& graph, int state);

class KvStates {
 public:
  /// Caches of `rows` rows and `tokens` tokens for the graph's states that `wanted` says.
  KvStates(const Graph& graph, int64_t rows, int64_t tokens,
           const std::function<bool(int state)>& wanted);
  KvStates() = default;

  /// Adds all caches, or row `row` of them as their only one, to what a run reads and writes. The
  /// views live until this is asked for a row again.
  void AddTo(NamedStates& states);
  void AddRowTo(int64_t row, NamedStates& states);

  void Clear();
  /// As KvState::Select, for all of them.
  void Select(std::span<const int32_t> parents);
  /// Says how many tokens of each row count.
  void SetLengths(std::span<const int64_t> lengths);
  size_t bytes() const;

 private:
  std::map<std::string, std::unique_ptr<KvState>> states_;
  std::vector<KvView> of_one_row_;
};

}  // namespace vernier
