// Byte-pair encoding: a word begins as its characters, and the pair of neighbours that comes first
// in the merge list is joined until no pair is in the list. Linear in memory and n·log n in time.
// Immutable; const members may be called from any thread, each with its own Workspace.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizers/merge_table.h"

namespace vernier {

class Bpe {
 public:
  struct Options {
    std::optional<int32_t> unknown_id;  // without it, unknown characters are dropped
    bool fuse_unknown = false;          // neighbouring unknown characters are one
    bool byte_fallback = false;         // unknown characters become <0xNN> pieces, if all exist
    bool ignore_merges = false;         // a word that is a piece as a whole is that piece
  };
  struct Piece {
    std::string_view text;
    int32_t id;
  };
  Bpe(std::span<const Piece> pieces, MergeTable merges, Options options);

  struct Workspace {
    struct Symbol {
      int32_t id;  // -1: joined to the symbol on its left
      int32_t previous, next;
    };
    std::vector<Symbol> symbols;
    std::vector<uint64_t> queue;  // rank << 32 | position; a heap with the least in front
  };

  /// Appends the ids of `word` (valid UTF-8) to `ids`. Pieces marked in `forbidden`, by id, are not
  /// used; an empty `forbidden` allows all.
  void Encode(std::string_view word, const std::vector<bool>& forbidden, Workspace& workspace,
              std::vector<int32_t>& ids) const;

 private:
  void Start(std::string_view word, const std::vector<bool>& forbidden, Workspace& workspace) const;
  void Merge(const std::vector<bool>& forbidden, Workspace& workspace) const;

  std::vector<int32_t> character_ids_;                    // by code point; -1: no piece
  std::array<int32_t, 256> byte_ids_;                     // -1: no such piece
  std::unordered_map<std::string, int32_t> whole_words_;  // empty unless ignore_merges
  MergeTable merges_;
  Options options_;
};

}  // namespace vernier
