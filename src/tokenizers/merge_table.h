// The merges of a BPE model: for a pair of ids, its rank in the list and the id that it becomes.
// Immutable once built; const members may be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vernier {

class MergeTable {
 public:
  struct Merge {
    int32_t left, right, joined;
  };
  /// In order of rank; of equal pairs the last one counts.
  explicit MergeTable(std::span<const Merge> merges);

  static constexpr uint32_t kNone = UINT32_MAX;
  /// Rank of a pair, or kNone.
  uint32_t Rank(int32_t left, int32_t right) const {
    const uint64_t key = Key(left, right);
    for (size_t slot = Slot(key);; slot = (slot + 1) & mask_) {
      if (slots_[slot].key == key) return slots_[slot].rank;
      if (slots_[slot].rank == kNone) return kNone;
    }
  }
  int32_t Joined(uint32_t rank) const { return joined_[rank]; }

 private:
  struct Entry {
    uint64_t key = UINT64_MAX;  // no pair of valid ids
    uint32_t rank = kNone;
  };
  static uint64_t Key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  // Fibonacci hashing: the upper bits of a product with 2^64 / golden ratio.
  size_t Slot(uint64_t key) const { return (key * 0x9E3779B97F4A7C15) >> shift_; }

  std::vector<Entry> slots_;
  std::vector<int32_t> joined_;
  size_t mask_;
  int shift_;
};

}  // namespace vernier
