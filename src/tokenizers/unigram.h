// The Unigram model: of all ways to cut a word into pieces, the one with the highest sum of scores
// (Viterbi). Immutable; const members may be called from any thread, each with its own Workspace.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/piece_trie.h"

namespace vernier {

class Unigram {
 public:
  struct Piece {
    std::string text;
    double score;  // finite
  };
  struct Options {
    std::optional<int32_t> unknown_id;  // of characters that no piece covers
    bool byte_fallback = false;         // such characters become <0xNN> pieces, if all exist
  };
  /// Pieces by id; at least one, and `unknown_id` is one of them.
  Unigram(std::span<const Piece> pieces, Options options);

  /// Best way to each byte position; kept between words to save allocations.
  struct Workspace {
    struct Node {
      double score;
      int32_t begin;  // of the last piece on the way here; -1: no way yet
      int32_t id;
    };
    std::vector<Node> nodes;
  };

  /// Appends the ids of `word` (valid UTF-8) to `ids`. Pieces marked in `forbidden`, by id, are not
  /// used; an empty `forbidden` allows all.
  void Encode(std::string_view word, const std::vector<bool>& forbidden, Workspace& workspace,
              std::vector<int32_t>& ids) const;

 private:
  void AppendUnknown(std::string_view text, std::vector<int32_t>& ids) const;

  PieceTrie trie_;
  std::vector<double> scores_;
  double unknown_score_;
  Options options_;
  std::array<int32_t, 256> byte_ids_;  // -1: no such piece
};

}  // namespace vernier
