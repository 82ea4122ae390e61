#include "tokenizers/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kDamaged = "the file is damaged; copy it again from where it was published";

// Largest published ones are about 35 MB with 260,000 pieces.
constexpr JsonLimits kLimits{.max_depth = 32, .max_file_bytes = size_t{128} << 20};

Error Wrong(const std::string& where, const std::string& what) {
  return Error(ErrorKind::kInput, where + ": " + what, kDamaged);
}

int32_t CheckedId(int64_t id, const std::string& where) {
  if (id < 0 || id > Vocabulary::kMaxId) {
    throw Wrong(where, fmt::format("id {} is not between 0 and {}", id, Vocabulary::kMaxId));
  }
  return static_cast<int32_t>(id);
}

// Items of lists do not know their place.
template <typename Read>
auto At(const std::string& where, const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    throw error.WithContext(where);
  }
}

void AddPiece(const std::string& piece, int32_t id, const std::string& where,
              Vocabulary& vocabulary) {
  switch (vocabulary.Add(piece, id)) {
    case Vocabulary::Outcome::kAdded:
      return;
    case Vocabulary::Outcome::kPieceExists:
      throw Wrong(where, fmt::format("piece \"{}\" has two ids, {} and {}", piece,
                                     *vocabulary.IdOf(piece), id));
    case Vocabulary::Outcome::kIdExists:
      throw Wrong(where, fmt::format("id {} belongs to two pieces, \"{}\" and \"{}\"", id,
                                     *vocabulary.PieceOf(id), piece));
  }
}

Unigram ReadUnigram(const Json& model, Vocabulary& vocabulary) {
  const std::string where = model.Where("vocab");
  std::vector<Unigram::Piece> pieces;
  for (const Json& item : model.GetArray("vocab").items()) {
    if (item.size() != 2 || !item.is_array()) {
      throw Wrong(where, fmt::format("entry {} is not a pair of piece and score", pieces.size()));
    }
    pieces.push_back(At(where, [&] {
      return Unigram::Piece{item.items()[0].AsString(), item.items()[1].AsNumber()};
    }));
    AddPiece(pieces.back().text, static_cast<int32_t>(pieces.size() - 1), where, vocabulary);
  }
  if (pieces.empty()) throw Wrong(where, "there is no piece");
  Unigram::Options options{.byte_fallback = model.GetBool("byte_fallback", false)};
  if (const int64_t id = model.GetInt("unk_id", -1); id >= 0) {
    if (id >= static_cast<int64_t>(pieces.size())) {
      throw Wrong(model.Where("unk_id"),
                  fmt::format("{} is not an id of the {} pieces", id, pieces.size()));
    }
    options.unknown_id = static_cast<int32_t>(id);
  }
  return Unigram(pieces, options);
}

std::pair<std::string, std::string> ReadPair(const Json& merge, const std::string& where) {
  if (merge.is_array() && merge.size() == 2) {
    return At(where,
              [&] { return std::pair(merge.items()[0].AsString(), merge.items()[1].AsString()); });
  }
  const std::string text = merge.is_array() ? "" : At(where, [&] { return merge.AsString(); });
  const size_t blank = text.find(' ');
  if (blank == std::string::npos || text.find(' ', blank + 1) != std::string::npos) {
    throw Wrong(where, "expected two pieces");
  }
  return {text.substr(0, blank), text.substr(blank + 1)};
}

MergeTable ReadMerges(const Json& model, const Vocabulary& vocabulary) {
  std::vector<MergeTable::Merge> merges;
  for (const Json& item : model.GetArray("merges").items()) {
    const std::string where = fmt::format("{}[{}]", model.Where("merges"), merges.size());
    const auto [left, right] = ReadPair(item, where);
    const auto id_of = [&](const std::string& piece) {
      if (const auto id = vocabulary.IdOf(piece)) return *id;
      throw Wrong(where, fmt::format("\"{}\" is not in the vocabulary", piece));
    };
    merges.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
  return MergeTable(merges);
}

void RefuseBpeOptions(const Json& model) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.GetString(key, "").empty()) {
      throw Error(ErrorKind::kInput, model.Where(key) + ": not supported here",
                  "supported are BPE models whose pieces have neither prefix nor suffix");
    }
  }
  if (model.GetNumber("dropout", 0) != 0) {
    throw Error(ErrorKind::kInput, model.Where("dropout") + ": random ids are not supported",
                "set it to null, as for use after training");
  }
}

Bpe ReadBpe(const Json& model, Vocabulary& vocabulary) {
  RefuseBpeOptions(model);
  const std::string where = model.Where("vocab");
  const auto members = model.GetObject("vocab").members();
  std::vector<Bpe::Piece> pieces;
  for (const auto& [piece, value] : members) {
    const int32_t id = CheckedId(At(where, [&] { return value.AsInt(); }), where);
    AddPiece(piece, id, where, vocabulary);
    pieces.push_back({piece, id});
  }
  Bpe::Options options{.fuse_unknown = model.GetBool("fuse_unk", false),
                       .byte_fallback = model.GetBool("byte_fallback", false),
                       .ignore_merges = model.GetBool("ignore_merges", false)};
  if (const Json* unknown = model.Find("unk_token"); unknown != nullptr && !unknown->is_null()) {
    options.unknown_id = vocabulary.IdOf(unknown->AsString());
    if (!options.unknown_id) {
      throw Wrong(model.Where("unk_token"),
                  fmt::format("\"{}\" is not in the vocabulary", unknown->AsString()));
    }
  }
  return Bpe(pieces, ReadMerges(model, vocabulary), options);
}

std::variant<Unigram, Bpe> ReadModel(const Json& root, Vocabulary& vocabulary) {
  const Json& model = root.GetObject("model");
  // Files older than the key have BPE models with merges and Unigram models with unk_id.
  const std::string type = model.GetString("type", model.Has("merges") ? "BPE" : "Unigram");
  if (type == "Unigram") return ReadUnigram(model, vocabulary);
  if (type == "BPE") return ReadBpe(model, vocabulary);
  throw Error(ErrorKind::kInput,
              fmt::format("{} is \"{}\", which is not supported here", model.Where("type"), type),
              "supported are Unigram and BPE");
}

// The library numbers added tokens itself: a piece of the model keeps its id, others follow the
// highest. A file that says otherwise would mean other ids there than here.
std::vector<AddedToken> ReadAddedTokens(const Json& root, Vocabulary& vocabulary) {
  const Json* list = root.Find("added_tokens");
  if (list == nullptr || list->is_null()) return {};
  std::vector<AddedToken> tokens;
  for (const Json& item : root.GetArray("added_tokens").items()) {
    const std::string where = fmt::format("{}[{}]", root.Where("added_tokens"), tokens.size());
    AddedToken token{.id = CheckedId(item.GetInt("id"), where),
                     .content = item.GetString("content"),
                     .single_word = item.GetBool("single_word", false),
                     .lstrip = item.GetBool("lstrip", false),
                     .rstrip = item.GetBool("rstrip", false),
                     .special = item.GetBool("special", false)};
    token.normalized = item.GetBool("normalized", !token.special);
    if (token.content.empty()) throw Wrong(where, "the token has no content");
    const int32_t expected =
        vocabulary.IdOf(token.content).value_or(static_cast<int32_t>(vocabulary.size()));
    if (expected != token.id) {
      throw Wrong(where,
                  fmt::format("\"{}\" has id {}, expected {}", token.content, token.id, expected));
    }
    if (!vocabulary.IdOf(token.content)) AddPiece(token.content, token.id, where, vocabulary);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// TemplateProcessing: what stands before and after the text, for a text that comes alone.
void ReadTemplate(const Json& root, TokenizerParts& parts) {
  const Json* member = root.Find("post_processor");
  if (member == nullptr || member->is_null()) return;
  const Json& processor = root.GetObject("post_processor");
  if (processor.GetString("type") != "TemplateProcessing") {
    throw Error(ErrorKind::kInput,
                fmt::format("{} is \"{}\", which is not supported here", processor.Where("type"),
                            processor.GetString("type")),
                "supported is TemplateProcessing");
  }
  bool after = false;
  for (const Json& item : processor.GetArray("single").items()) {
    if (item.Has("Sequence")) {
      if (std::exchange(after, true)) {
        throw Wrong(processor.Where("single"), "the text stands there twice");
      }
      continue;
    }
    const std::string name = item.GetObject("SpecialToken").GetString("id");
    const Json& special = processor.GetObject("special_tokens").GetObject(name);
    for (const int64_t id : special.GetInts("ids")) {
      const int32_t checked = CheckedId(id, special.Where("ids"));
      if (!parts.vocabulary.PieceOf(checked)) {
        throw Wrong(special.Where("ids"), fmt::format("{} is no id of the vocabulary", id));
      }
      (after ? parts.ids_after : parts.ids_before).push_back(checked);
    }
  }
  if (!after) throw Wrong(processor.Where("single"), "the text (Sequence) is missing");
}

}  // namespace

TokenizerParts ReadTokenizerJson(const std::string& path) {
  const Json root = Json::ParseFile(path, kLimits);
  Vocabulary vocabulary;
  auto model = ReadModel(root, vocabulary);
  auto added_tokens = ReadAddedTokens(root, vocabulary);
  TokenizerParts parts{.vocabulary = std::move(vocabulary),
                       .model = std::move(model),
                       .added_tokens = std::move(added_tokens),
                       .normalizer = ReadNormalizer(root),
                       .pre_tokenizer = ReadPreTokenizer(root),
                       .decoder = ReadDecoder(root)};
  ReadTemplate(root, parts);
  return parts;
}

}  // namespace vernier
