#include "tokenizers/unigram.h"

#include <fmt/format.h>

#include <algorithm>

#include "tokenizers/characters.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// What a character without a piece costs beyond the least likely piece (SentencePiece's constant).
constexpr double kUnknownPenalty = 10.0;

PieceTrie BuildTrie(std::span<const Unigram::Piece> pieces) {
  std::vector<PieceTrie::Entry> entries;
  entries.reserve(pieces.size());
  for (const Unigram::Piece& piece : pieces) {
    entries.push_back({piece.text, static_cast<int32_t>(entries.size())});
  }
  return PieceTrie(entries);
}

}  // namespace

Unigram::Unigram(std::span<const Piece> pieces, Options options)
    : trie_(BuildTrie(pieces)), options_(options) {
  scores_.reserve(pieces.size());
  for (const Piece& piece : pieces) scores_.push_back(piece.score);
  unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - kUnknownPenalty;
  for (int byte = 0; byte < 256; ++byte) {
    byte_ids_[static_cast<size_t>(byte)] = trie_.Find(BytePiece(static_cast<uint8_t>(byte)));
  }
}

void Unigram::Encode(std::string_view word, const std::vector<bool>& forbidden,
                     Workspace& workspace, std::vector<int32_t>& ids) const {
  auto& nodes = workspace.nodes;
  nodes.assign(word.size() + 1, {0.0, -1, 0});
  const int32_t unknown = options_.unknown_id.value_or(-1);
  for (size_t begin = 0, length; begin < word.size(); begin += length) {
    length = CharacterLength(word[begin]);
    const double score_here = nodes[begin].score;
    const auto offer = [&](size_t end, double score, int32_t id) {
      Workspace::Node& node = nodes[end];
      if (node.begin < 0 || score > node.score) {
        node = {score, static_cast<int32_t>(begin), id};
      }
    };
    bool covered = false;  // the character alone is a piece
    trie_.ForEachPrefix(word.substr(begin), [&](size_t piece_length, int32_t id) {
      if (!forbidden.empty() && forbidden[static_cast<size_t>(id)]) return;
      offer(begin + piece_length, score_here + scores_[static_cast<size_t>(id)], id);
      covered |= piece_length == length;
    });
    if (!covered) offer(begin + length, score_here + unknown_score_, unknown);
  }

  // Backwards from the end; neighbouring unknown characters are one.
  const size_t first = ids.size();
  for (size_t end = word.size(); end > 0;) {
    const Workspace::Node& node = nodes[end];
    size_t begin = static_cast<size_t>(node.begin);
    if (node.id != unknown) {
      ids.push_back(node.id);
    } else {
      while (begin > 0 && nodes[begin].id == unknown) {
        begin = static_cast<size_t>(nodes[begin].begin);
      }
      AppendUnknown(word.substr(begin, end - begin), ids);
    }
    end = begin;
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
}

// In reverse order, as the caller walks.
void Unigram::AppendUnknown(std::string_view text, std::vector<int32_t>& ids) const {
  // The unknown token's own name, typed.
  if (const int32_t id = trie_.Find(text); id >= 0 && id == options_.unknown_id) {
    ids.push_back(id);
    return;
  }
  const bool bytes = options_.byte_fallback && std::all_of(text.begin(), text.end(), [&](char c) {
                       return byte_ids_[static_cast<uint8_t>(c)] >= 0;
                     });
  if (bytes) {
    for (size_t i = text.size(); i-- > 0;) {
      ids.push_back(byte_ids_[static_cast<uint8_t>(text[i])]);
    }
    return;
  }
  if (!options_.unknown_id) {
    throw Error(ErrorKind::kInput,
                fmt::format("the tokenizer has no piece for \"{}\" and no unknown token", text),
                "leave such characters out of the text, or use the tokenizer that the model was "
                "trained with");
  }
  ids.push_back(*options_.unknown_id);
}

}  // namespace vernier
