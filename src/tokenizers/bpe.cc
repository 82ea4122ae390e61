#include "tokenizers/bpe.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "tokenizers/characters.h"

namespace vernier {
namespace {

bool Allowed(int32_t id, const std::vector<bool>& forbidden) {
  return forbidden.empty() || !forbidden[static_cast<size_t>(id)];
}

}  // namespace

Bpe::Bpe(std::span<const Piece> pieces, MergeTable merges, Options options)
    : merges_(std::move(merges)), options_(options) {
  byte_ids_.fill(-1);
  for (const Piece& piece : pieces) {
    if (options_.ignore_merges) whole_words_.emplace(piece.text, piece.id);
    if (const int byte = ByteOfPiece(piece.text); byte >= 0) {
      // Only the upper-case spelling stands for a byte.
      if (piece.text == BytePiece(static_cast<uint8_t>(byte))) {
        byte_ids_[static_cast<size_t>(byte)] = piece.id;
      }
    } else if (!piece.text.empty() && CharacterLength(piece.text[0]) == piece.text.size()) {
      const size_t code_point = CodePoint(piece.text);
      if (code_point >= character_ids_.size()) character_ids_.resize(code_point + 1, -1);
      character_ids_[code_point] = piece.id;
    }
  }
}

void Bpe::Encode(std::string_view word, const std::vector<bool>& forbidden, Workspace& workspace,
                 std::vector<int32_t>& ids) const {
  if (options_.ignore_merges) {
    const auto whole = whole_words_.find(std::string(word));
    if (whole != whole_words_.end() && Allowed(whole->second, forbidden)) {
      ids.push_back(whole->second);
      return;
    }
  }
  Start(word, forbidden, workspace);
  Merge(forbidden, workspace);
  for (const Workspace::Symbol& symbol : workspace.symbols) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

// An unknown token waits for the next character that has a piece, so that it comes after bytes that
// follow it. That is what the `tokenizers` library does, if only some <0xNN> pieces exist.
void Bpe::Start(std::string_view word, const std::vector<bool>& forbidden,
                Workspace& workspace) const {
  auto& symbols = workspace.symbols;
  symbols.clear();
  const auto add = [&](int32_t id) {
    const int32_t position = static_cast<int32_t>(symbols.size());
    symbols.push_back({id, position - 1, position + 1});
  };
  bool unknown_waits = false;
  for (size_t i = 0, length; i < word.size(); i += length) {
    length = CharacterLength(word[i]);
    const std::string_view character = word.substr(i, length);
    const size_t code_point = CodePoint(character);
    const int32_t id = code_point < character_ids_.size() ? character_ids_[code_point] : -1;
    if (id >= 0 && Allowed(id, forbidden)) {
      if (unknown_waits) add(*options_.unknown_id);
      unknown_waits = false;
      add(id);
      continue;
    }
    const auto byte_id = [&](char c) { return byte_ids_[static_cast<uint8_t>(c)]; };
    if (options_.byte_fallback &&
        std::all_of(character.begin(), character.end(), [&](char c) { return byte_id(c) >= 0; })) {
      for (const char c : character) add(byte_id(c));
    } else if (options_.unknown_id) {
      if (unknown_waits && !options_.fuse_unknown) add(*options_.unknown_id);
      unknown_waits = true;
    }
  }
  if (unknown_waits) add(*options_.unknown_id);
}

void Bpe::Merge(const std::vector<bool>& forbidden, Workspace& workspace) const {
  auto& symbols = workspace.symbols;
  auto& queue = workspace.queue;
  const auto offer = [&](int32_t position) {
    const Workspace::Symbol& left = symbols[static_cast<size_t>(position)];
    const uint32_t rank = merges_.Rank(left.id, symbols[static_cast<size_t>(left.next)].id);
    if (rank == MergeTable::kNone || !Allowed(merges_.Joined(rank), forbidden)) return false;
    queue.push_back(static_cast<uint64_t>(rank) << 32 | static_cast<uint32_t>(position));
    return true;
  };
  const auto push = [&](int32_t position) {
    if (offer(position)) std::push_heap(queue.begin(), queue.end(), std::greater<>());
  };

  queue.clear();
  const int32_t count = static_cast<int32_t>(symbols.size());
  for (int32_t position = 0; position + 1 < count; ++position) offer(position);
  std::make_heap(queue.begin(), queue.end(), std::greater<>());
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    const uint64_t top = queue.back();
    queue.pop_back();
    const int32_t position = static_cast<int32_t>(top & UINT32_MAX);
    Workspace::Symbol& left = symbols[static_cast<size_t>(position)];
    if (left.id < 0 || left.next >= count) continue;
    // The pair may have changed since it was queued.
    Workspace::Symbol& right = symbols[static_cast<size_t>(left.next)];
    const int32_t joined = merges_.Joined(static_cast<uint32_t>(top >> 32));
    const uint32_t rank = merges_.Rank(left.id, right.id);
    if (rank == MergeTable::kNone || merges_.Joined(rank) != joined) continue;
    left.id = joined;
    left.next = right.next;
    right.id = -1;
    if (left.next < count) {
      symbols[static_cast<size_t>(left.next)].previous = position;
      push(position);
    }
    if (left.previous >= 0) push(left.previous);
  }
}

}  // namespace vernier
