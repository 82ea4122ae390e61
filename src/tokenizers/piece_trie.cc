#include "tokenizers/piece_trie.h"

#include <algorithm>

namespace vernier {

class PieceTrie::Builder {
 public:
  explicit Builder(std::span<const Entry> sorted) : entries_(sorted) {}

  std::vector<Node> Build() {
    AddBlock();
    nodes_[0].parent = kRootParent;
    used_[0] = 1;
    pending_.push_back({0, 0, entries_.size(), 0});
    while (!pending_.empty()) {
      const Range range = pending_.back();
      pending_.pop_back();
      Place(range);
    }
    return std::move(nodes_);
  }

 private:
  // Entries [begin, end) share their first `depth` bytes, which lead to `node`.
  struct Range {
    uint32_t node;
    size_t begin, end, depth;
  };

  static constexpr uint32_t kRootParent = kNoParent - 1;  // no node's number
  // Bounds on the search for free places, so that building stays linear: blocks from the end on,
  // and those with more nodes than this are as good as full.
  static constexpr size_t kBlocksSearched = 4;
  static constexpr int kNearlyFull = 240;

  void AddBlock() {
    nodes_.resize(nodes_.size() + 256);
    used_.push_back(0);
  }

  // A base at which every label's place is free.
  uint32_t FreeBase(std::span<const uint8_t> labels) {
    for (size_t block = used_.size() - std::min(used_.size(), kBlocksSearched);
         block < used_.size(); ++block) {
      if (used_[block] > kNearlyFull) continue;
      for (uint32_t low = 0; low < 256; ++low) {
        const uint32_t base = static_cast<uint32_t>(block * 256) + low;
        if (std::all_of(labels.begin(), labels.end(),
                        [&](uint8_t label) { return nodes_[base ^ label].parent == kNoParent; })) {
          return base;
        }
      }
    }
    AddBlock();
    return static_cast<uint32_t>(nodes_.size() - 256);
  }

  void Place(Range range) {
    // Entries that end here come first; the last of equals counts.
    while (range.begin < range.end && entries_[range.begin].piece.size() == range.depth) {
      nodes_[range.node].value = entries_[range.begin++].value;
    }
    labels_.clear();
    starts_.clear();
    for (size_t i = range.begin; i < range.end; ++i) {
      const uint8_t label = static_cast<uint8_t>(entries_[i].piece[range.depth]);
      if (!labels_.empty() && labels_.back() == label) continue;
      labels_.push_back(label);
      starts_.push_back(i);
    }
    if (labels_.empty()) return;
    const uint32_t base = FreeBase(labels_);
    nodes_[range.node].base = base;
    used_[base / 256] += static_cast<int>(labels_.size());
    for (size_t i = 0; i < labels_.size(); ++i) {
      const uint32_t child = base ^ labels_[i];
      nodes_[child].parent = range.node;
      const size_t end = i + 1 < labels_.size() ? starts_[i + 1] : range.end;
      pending_.push_back({child, starts_[i], end, range.depth + 1});
    }
  }

  std::span<const Entry> entries_;
  std::vector<Node> nodes_;
  std::vector<int> used_;  // nodes in use, by block
  std::vector<Range> pending_;
  std::vector<uint8_t> labels_;
  std::vector<size_t> starts_;
};

PieceTrie::PieceTrie(std::span<const Entry> entries) {
  std::vector<Entry> sorted(entries.begin(), entries.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Entry& a, const Entry& b) { return a.piece < b.piece; });
  nodes_ = Builder(sorted).Build();
}

int32_t PieceTrie::Find(std::string_view piece) const {
  int32_t found = -1;
  ForEachPrefix(piece, [&](size_t length, int32_t value) {
    if (length == piece.size()) found = value;
  });
  return found;
}

}  // namespace vernier
