// KvState: the key-value cache of some sequences, in blocks of 64 tokens with a table per row, so
// that rows can share blocks (beams) and grow without moving. Owned by a sequence, not by a plan.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/attention.h"
#include "vernier/tensor.h"

namespace vernier {

class KvState {
 public:
  /// Room for `capacity` tokens of `width` = kv_heads*dim values in each of `rows` rows.
  KvState(int64_t rows, int64_t capacity, int64_t width);

  /// What kernels read and write; valid while the state lives and is not moved.
  KvView& view() { return view_; }
  int64_t length(int64_t row) const { return lengths_[static_cast<size_t>(row)]; }
  int64_t capacity() const { return view_.blocks_per_row * KvView::kBlockTokens; }
  size_t bytes() const { return keys_.bytes() + values_.bytes(); }
  /// Empties all rows, keeping the memory.
  void Clear();

  KvState(const KvState&) = delete;
  KvState& operator=(const KvState&) = delete;

 private:
  Tensor keys_, values_;
  std::vector<int32_t> block_table_;
  std::vector<int64_t> lengths_;
  KvView view_;
};

}  // namespace vernier
