#include "tokenizers/folder_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

int32_t CheckedId(int64_t id, const std::string& where) {
  if (id >= 0 && id <= Vocabulary::kMaxId) return static_cast<int32_t>(id);
  throw Error(ErrorKind::kInput,
              fmt::format("{}: {} is not between 0 and {}", where, id, Vocabulary::kMaxId));
}

void Add(AddedToken token, const std::string& where, Vocabulary& pieces,
         std::vector<AddedToken>& added) {
  const auto known = pieces.IdOf(token.content);
  const auto there = pieces.PieceOf(token.id);
  if (token.content.empty() || (known && *known != token.id) ||
      (there && *there != token.content)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: \"{}\" is to have id {}, but {}", where, token.content, token.id,
                            known ? fmt::format("it has id {}", *known)
                                  : fmt::format("that is \"{}\"", there.value_or(""))),
                "the tokenizer's files come from different checkpoints");
  }
  if (!known) pieces.Add(token.content, token.id);
  const auto same = std::ranges::find(added, token.id, &AddedToken::id);
  if (same == added.end()) {
    added.push_back(std::move(token));
  } else {
    *same = std::move(token);
  }
}

}  // namespace

void AddFolderTokens(const std::string& folder, const Json& config, Vocabulary& pieces,
                     std::vector<AddedToken>& added) {
  const std::filesystem::path file = std::filesystem::path(folder) / "added_tokens.json";
  if (std::filesystem::exists(file)) {
    const Json tokens = Json::ParseFile(file.string());
    for (const JsonMember& member : tokens.members()) {
      const std::string where = tokens.Where(member.key);
      Add({.id = CheckedId(member.value.AsInt(), where), .content = member.key, .special = true},
          where, pieces, added);
    }
  }
  if (!config.Has("added_tokens_decoder")) return;
  const Json& tokens = config.GetObject("added_tokens_decoder");
  for (const JsonMember& member : tokens.members()) {
    const std::string where = tokens.Where(member.key);
    int64_t id = -1;
    const char* const end = member.key.data() + member.key.size();
    if (std::from_chars(member.key.data(), end, id).ptr != end) id = -1;
    AddedToken token{.id = CheckedId(id, where),
                     .content = member.value.GetString("content"),
                     .single_word = member.value.GetBool("single_word", false),
                     .lstrip = member.value.GetBool("lstrip", false),
                     .rstrip = member.value.GetBool("rstrip", false),
                     .special = member.value.GetBool("special", false)};
    token.normalized = member.value.GetBool("normalized", !token.special);
    Add(std::move(token), where, pieces, added);
  }
}

}  // namespace vernier
