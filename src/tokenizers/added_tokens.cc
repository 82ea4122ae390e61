#include "tokenizers/added_tokens.h"

#include <algorithm>

#include "tokenizers/characters.h"

namespace vernier {
namespace {

bool IsBlank(std::string_view text, size_t at) { return IsWhiteSpace(CodePoint(text.substr(at))); }

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::span<const Pattern> patterns) {
  std::vector<PieceTrie::Entry> entries;
  for (const Pattern& pattern : patterns) {
    if (pattern.text.empty()) continue;
    entries.push_back({pattern.text, static_cast<int32_t>(tokens_.size())});
    tokens_.push_back(pattern.token);
    begins_[static_cast<uint8_t>(pattern.text[0])] = true;
  }
  trie_ = PieceTrie(entries);
}

bool AddedTokenFinder::Accepts(const AddedToken& token, std::string_view before,
                               std::string_view after) const {
  if (!token.single_word) return true;
  const auto is_word = [](std::string_view text, size_t at) {
    return IsWordCharacter(CodePoint(text.substr(at)));
  };
  return (before.empty() || !is_word(before, PreviousCharacter(before, before.size()))) &&
         (after.empty() || !is_word(after, 0));
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::Split(std::string_view text,
                                                            bool parse_special_tokens) const {
  std::vector<Part> parts;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    if (!begins_[static_cast<uint8_t>(text[at])]) {
      ++at;
      continue;
    }
    size_t length = 0;
    const AddedToken* token = nullptr;
    trie_.ForEachPrefix(text.substr(at), [&](size_t found_length, int32_t value) {
      length = found_length;
      token = tokens_[static_cast<size_t>(value)];
    });
    if (token == nullptr) {
      ++at;
      continue;
    }
    // A match that does not count still hides others that begin inside of it.
    size_t begin = at;
    at += length;
    if (token->special && !parse_special_tokens) continue;
    if (!Accepts(*token, text.substr(0, begin), text.substr(at))) continue;
    size_t end = at;
    if (token->lstrip) {
      while (begin > done && IsBlank(text, PreviousCharacter(text, begin))) {
        begin = PreviousCharacter(text, begin);
      }
    }
    if (token->rstrip) {
      while (end < text.size() && IsBlank(text, end)) end += CharacterLength(text[end]);
    }
    begin = std::max(begin, done);
    if (done < begin) parts.push_back({done, begin, nullptr});
    parts.push_back({begin, end, token});
    done = end;
  }
  if (done < text.size()) parts.push_back({done, text.size(), nullptr});
  return parts;
}

}  // namespace vernier
