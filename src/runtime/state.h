// KvState: the key-value cache of some sequences, in blocks of 64 tokens with a table per row, so
// that rows can share blocks (beams) and grow without moving. Owned by a sequence, not by a plan.
// After construction nothing allocates. Memory is touched, and so taken, as tokens arrive, in huge
// pages where the system has them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/huge_page_pool.h"
#include "ops/kv_view.h"
#include "vernier/tensor.h"

namespace vernier {

struct KvLayout {
  int64_t kv_heads = 1;
  int64_t head_dim = 0;
  DType dtype = DType::kF32;  // f32 or bf16
};

class KvState {
 public:
  /// Room for `capacity` tokens in each of `rows` rows, in memory of `pool`, which caches that are
  /// read together share; null: its own. Throws Error{kResource} where there is none.
  KvState(int64_t rows, int64_t capacity, const KvLayout& layout, HugePagePool* pool = nullptr);

  /// What kernels read and write; valid while the state lives.
  KvView& view() { return view_; }
  /// The same for one row alone, as row 0.
  KvView RowView(int64_t row);

  int64_t rows() const { return view_.rows; }
  int64_t capacity() const { return view_.capacity(); }
  int64_t length(int64_t row) const { return lengths_[static_cast<size_t>(row)]; }
  size_t bytes() const { return 2 * bytes_of_keys_; }

  /// Row i becomes a continuation of what was row parents[i]; the rows behind them become empty.
  /// Full blocks are shared; a block that is still being filled is copied for all children but one.
  void Select(std::span<const int32_t> parents);
  /// Empties all rows, keeping the memory.
  void Clear();

  KvState(const KvState&) = delete;
  KvState& operator=(const KvState&) = delete;

 private:
  int32_t TakeFreeBlock();
  void CopyTokens(int32_t from, int32_t to, int64_t tokens);

  std::shared_ptr<void> keys_, values_;
  size_t bytes_of_keys_;              // and of values
  std::vector<int32_t> block_table_;  // entries beyond a row's length are blocks of its own
  std::vector<int64_t> lengths_;
  KvView view_;
  // For Select: the former tables, and the blocks that are spoken for.
  std::vector<int32_t> former_table_;
  std::vector<int64_t> former_lengths_;
  std::vector<bool> taken_;
  size_t next_free_ = 0;
};

}  // namespace vernier
