// Finds added tokens in a text: leftmost first, of those the longest; with the rules for white
// space and whole words that each token carries. Immutable; const members may be called from any
// thread.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizers/piece_trie.h"
#include "tokenizers/tokenizer.h"

namespace vernier {

class AddedTokenFinder {
 public:
  struct Pattern {
    std::string_view text;
    const AddedToken* token;  // outlives the finder
  };
  AddedTokenFinder() = default;
  explicit AddedTokenFinder(std::span<const Pattern> patterns);

  /// A part of a text: a token, or what lies between tokens (nullptr). Parts cover the text, but
  /// there may be empty ones: none of them is plain text.
  struct Part {
    size_t begin, end;
    const AddedToken* token;
  };
  std::vector<Part> Split(std::string_view text, bool parse_special_tokens) const;

 private:
  bool Accepts(const AddedToken& token, std::string_view before, std::string_view after) const;

  PieceTrie trie_;  // values are positions in tokens_
  std::vector<const AddedToken*> tokens_;
  std::array<bool, 256> begins_ = {};  // bytes that a pattern begins with
};

}  // namespace vernier
