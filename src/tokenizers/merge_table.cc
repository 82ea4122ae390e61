#include "tokenizers/merge_table.h"

#include <algorithm>
#include <bit>

namespace vernier {

MergeTable::MergeTable(std::span<const Merge> merges)
    : slots_(std::bit_ceil(std::max<size_t>(2 * merges.size(), 2))),
      mask_(slots_.size() - 1),
      shift_(64 - std::countr_zero(slots_.size())) {
  joined_.reserve(merges.size());
  for (const Merge& merge : merges) {
    const uint64_t key = Key(merge.left, merge.right);
    size_t slot = Slot(key);
    while (slots_[slot].rank != kNone && slots_[slot].key != key) slot = (slot + 1) & mask_;
    slots_[slot] = {key, static_cast<uint32_t>(joined_.size())};
    joined_.push_back(merge.joined);
  }
}

}  // namespace vernier
