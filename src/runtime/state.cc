#include "runtime/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/check.h"
#include "core/rounding.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::shared_ptr<void> Allocate(size_t bytes, HugePagePool& pool) {
  auto memory = pool.Allocate(bytes);
  if (memory == nullptr) {
    throw Error(ErrorKind::kResource,
                fmt::format("out of memory: {} bytes of a key-value cache were refused", bytes),
                "ask for fewer tokens (--max-new-tokens) or a smaller batch or image, or use a "
                "machine with more memory");
  }
  return memory;
}

}  // namespace

KvState::KvState(int64_t rows, int64_t capacity, const KvLayout& layout, HugePagePool* pool) {
  const int64_t blocks_per_row = CeilDiv(capacity, KvView::kBlockTokens);
  const auto blocks = static_cast<size_t>(rows * blocks_per_row);
  bytes_of_keys_ = blocks * static_cast<size_t>(layout.kv_heads * KvView::kBlockTokens) *
                   static_cast<size_t>(layout.head_dim) * ByteSize(layout.dtype);
  HugePagePool own;
  keys_ = Allocate(bytes_of_keys_, pool == nullptr ? own : *pool);
  values_ = Allocate(bytes_of_keys_, pool == nullptr ? own : *pool);
  block_table_.resize(blocks);
  former_table_.resize(blocks);
  taken_.resize(blocks);
  lengths_.resize(static_cast<size_t>(rows));
  former_lengths_.resize(lengths_.size());
  view_ = {.keys = keys_.get(),
           .values = values_.get(),
           .dtype = layout.dtype,
           .kv_heads = layout.kv_heads,
           .head_dim = layout.head_dim,
           .rows = rows,
           .blocks_per_row = blocks_per_row,
           .block_table = block_table_.data(),
           .lengths = lengths_.data()};
  Clear();
}

KvView KvState::RowView(int64_t row) {
  VN_CHECK(row >= 0 && row < view_.rows, "a row of another cache");
  KvView one = view_;
  one.rows = 1;
  one.block_table += row * view_.blocks_per_row;
  one.lengths += row;
  return one;
}

int32_t KvState::TakeFreeBlock() {
  while (taken_[next_free_]) ++next_free_;
  taken_[next_free_] = true;
  return static_cast<int32_t>(next_free_);
}

void KvState::CopyTokens(int32_t from, int32_t to, int64_t tokens) {
  const size_t head_bytes =
      static_cast<size_t>(KvView::kBlockTokens * view_.head_dim) * ByteSize(view_.dtype);
  const size_t used = static_cast<size_t>(tokens * view_.head_dim) * ByteSize(view_.dtype);
  for (void* memory : {keys_.get(), values_.get()}) {
    auto* base = static_cast<char*>(memory);
    for (int64_t head = 0; head < view_.kv_heads; ++head) {
      std::memcpy(base + static_cast<size_t>(to * view_.kv_heads + head) * head_bytes,
                  base + static_cast<size_t>(from * view_.kv_heads + head) * head_bytes, used);
    }
  }
}

void KvState::Select(std::span<const int32_t> parents) {
  VN_CHECK(parents.size() <= lengths_.size(), "more rows than the cache has");
  former_table_ = block_table_;
  former_lengths_ = lengths_;
  taken_.assign(taken_.size(), false);
  next_free_ = 0;
  const auto blocks_per_row = static_cast<size_t>(view_.blocks_per_row);
  constexpr auto kBlock = static_cast<size_t>(KvView::kBlockTokens);
  // First what is taken over as it is, so that what stays free is known.
  std::ranges::fill(lengths_, 0);
  for (size_t row = 0; row < parents.size(); ++row) {
    const auto parent = static_cast<size_t>(parents[row]);
    VN_CHECK(parent < former_lengths_.size(), "a parent outside of the cache");
    lengths_[row] = former_lengths_[parent];
    const size_t full = static_cast<size_t>(lengths_[row]) / kBlock;
    for (size_t i = 0; i <= full && i < blocks_per_row; ++i) {
      const int32_t block = former_table_[parent * blocks_per_row + i];
      // A block that is not full goes to the first child; the others are marked to copy it.
      const bool shared = i < full || !taken_[static_cast<size_t>(block)];
      block_table_[row * blocks_per_row + i] = shared ? block : -1;
      taken_[static_cast<size_t>(block)] = true;
    }
  }
  for (size_t row = 0; row < lengths_.size(); ++row) {
    const size_t full = static_cast<size_t>(lengths_[row]) / kBlock;
    const size_t partial = static_cast<size_t>(lengths_[row]) % kBlock;
    const bool lives = row < parents.size();
    for (size_t i = lives ? full : 0; i < blocks_per_row; ++i) {
      int32_t& block = block_table_[row * blocks_per_row + i];
      if (lives && i == full && block >= 0) continue;
      block = TakeFreeBlock();
      if (lives && i == full && partial > 0) {
        const auto parent = static_cast<size_t>(parents[row]);
        CopyTokens(former_table_[parent * blocks_per_row + i], block,
                   static_cast<int64_t>(partial));
      }
    }
  }
}

void KvState::Clear() {
  std::iota(block_table_.begin(), block_table_.end(), 0);
  std::ranges::fill(lengths_, 0);
}

}  // namespace vernier
