// All pieces of a vocabulary as a double-array trie over bytes: finds every piece that a text
// starts with in one walk. Immutable; const members may be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vernier {

class PieceTrie {
 public:
  struct Entry {
    std::string_view piece;
    int32_t value;  // not negative
  };

  PieceTrie() : PieceTrie(std::span<const Entry>()) {}
  /// Of equal pieces the last one counts; an empty piece is never found.
  explicit PieceTrie(std::span<const Entry> entries);

  /// Calls found(length, value) for each piece that `text` starts with, shortest first.
  template <typename Found>
  void ForEachPrefix(std::string_view text, const Found& found) const {
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const uint32_t next = nodes_[node].base ^ static_cast<uint8_t>(text[i]);
      if (nodes_[next].parent != node) return;
      node = next;
      if (nodes_[node].value >= 0) found(i + 1, nodes_[node].value);
    }
  }

  /// The value of exactly this piece, or -1.
  int32_t Find(std::string_view piece) const;

 private:
  static constexpr uint32_t kNoParent = UINT32_MAX;

  // The child by byte b is at base ^ b, if that node names this one as its parent. Blocks of 256
  // nodes are complete, so base ^ b never leaves the array.
  struct Node {
    uint32_t base = 0;
    uint32_t parent = kNoParent;
    int32_t value = -1;
  };
  class Builder;

  std::vector<Node> nodes_;
};

}  // namespace vernier
