#include "tokenizers/sentencepiece_file.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <utility>

#include "io/mapped_file.h"
#include "tokenizers/folder_tokens.h"
#include "tokenizers/protobuf.h"
#include "vernier/error.h"

namespace vernier {
namespace {

const std::string kMark = "\u2581";
constexpr size_t kMaxFileBytes = size_t{128} << 20;
constexpr int64_t kDefaultExtraIds = 100;  // of transformers' T5Tokenizer
constexpr int64_t kMaxExtraIds = 10'000;

// sentencepiece_model.proto.
enum class PieceType { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };
enum class ModelType { kUnigram = 1, kBpe, kWord, kCharacter };

struct Model {
  struct Piece {
    std::string text;
    float score = 0;
    PieceType type = PieceType::kNormal;
  };
  std::vector<Piece> pieces;
  ModelType type = ModelType::kUnigram;
  bool byte_fallback = false;
  std::string charsmap;
};

Error Wrong(const std::string& where, const std::string& what) {
  return Error(ErrorKind::kInput, where + ": " + what,
               "the file is damaged or of another kind; copy it again from where it was published");
}

// Calls read(field) for each field of a message.
template <typename Read>
void ForEachField(std::string_view message, const std::string& where, const Read& read) {
  ProtobufReader reader(message, where);
  while (const auto field = reader.Next()) read(*field);
}

Model::Piece ReadPiece(std::string_view message, const std::string& where) {
  Model::Piece piece;
  ForEachField(message, where, [&](const ProtobufReader::Field& field) {
    if (field.number == 1) piece.text = field.AsBytes(where);
    if (field.number == 2) piece.score = field.AsFloat(where);
    if (field.number == 3) piece.type = static_cast<PieceType>(field.AsVarint(where));
  });
  if (FirstInvalidByte(piece.text) != std::string::npos) {
    throw Wrong(where, "the text is not valid UTF-8");
  }
  if (piece.text.empty()) throw Wrong(where, "the text is empty");
  if (!std::isfinite(piece.score)) {
    throw Wrong(where, fmt::format("the score of \"{}\" is {}", piece.text, piece.score));
  }
  return piece;
}

Model ReadModel(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  if (file.bytes().size() > kMaxFileBytes) {
    throw Wrong(path, fmt::format("{} bytes are too many for a tokenizer; the most is {}",
                                  file.bytes().size(), kMaxFileBytes));
  }
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                               file.bytes().size());
  Model model;
  ForEachField(bytes, path, [&](const ProtobufReader::Field& field) {
    if (field.number == 1) {
      const std::string where = fmt::format("{}: piece {}", path, model.pieces.size());
      model.pieces.push_back(ReadPiece(field.AsBytes(path), where));
    } else if (field.number == 2) {
      const std::string where = path + ": trainer_spec";
      ForEachField(field.AsBytes(path), where, [&](const ProtobufReader::Field& inner) {
        if (inner.number == 3) model.type = static_cast<ModelType>(inner.AsVarint(where));
        if (inner.number == 35) model.byte_fallback = inner.AsVarint(where) != 0;
      });
    } else if (field.number == 3) {
      const std::string where = path + ": normalizer_spec";
      ForEachField(field.AsBytes(path), where, [&](const ProtobufReader::Field& inner) {
        if (inner.number == 2) model.charsmap = inner.AsBytes(where);
      });
    }
  });
  file.CheckIntact();
  if (model.pieces.empty()) throw Wrong(path, "it holds no pieces; is it a SentencePiece model?");
  return model;
}

struct TokenizerVocabulary {
  Vocabulary pieces;
  std::vector<AddedToken> added;
};

AddedToken Added(int32_t id, std::string content, bool special) {
  return {.id = id, .content = std::move(content), .special = special};
}

// The pieces, and those among them that count as added tokens.
void AddPieces(const Model& model, const std::string& path, TokenizerVocabulary& known) {
  for (const Model::Piece& piece : model.pieces) {
    const int32_t id = known.pieces.id_bound();
    if (known.pieces.Add(piece.text, id) != Vocabulary::Outcome::kAdded) {
      throw Wrong(path, fmt::format("piece \"{}\" has two ids, {} and {}", piece.text,
                                    *known.pieces.IdOf(piece.text), id));
    }
    if (piece.type == PieceType::kUserDefined) {
      known.added.push_back(Added(id, piece.text, false));
    } else if (piece.type == PieceType::kControl || piece.type == PieceType::kUnknown) {
      known.added.push_back(Added(id, piece.text, true));
    }
  }
}

// <extra_id_N>, the highest N first.
void AddSentinels(const Json& config, TokenizerVocabulary& known) {
  const int64_t count = config.GetInt("extra_ids", kDefaultExtraIds);
  if (count < 0 || count > kMaxExtraIds) {
    throw Wrong(config.Where("extra_ids"),
                fmt::format("{} is not between 0 and {}", count, kMaxExtraIds));
  }
  for (int64_t number = count; number-- > 0;) {
    const int32_t id = known.pieces.id_bound();
    std::string sentinel = fmt::format("<extra_id_{}>", number);
    if (known.pieces.Add(sentinel, id) != Vocabulary::Outcome::kAdded) continue;
    known.added.push_back(Added(id, std::move(sentinel), true));
  }
}

std::optional<int32_t> UnknownId(const Model& model) {
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    if (model.pieces[id].type == PieceType::kUnknown) return static_cast<int32_t>(id);
  }
  return {};
}

Unigram MakeUnigram(const Model& model, const Vocabulary& vocabulary, bool byte_fallback) {
  std::vector<Unigram::Piece> pieces;
  // Added tokens behind a gap of ids are none of the model's.
  for (int32_t id = 0; vocabulary.PieceOf(id); ++id) {
    const size_t index = static_cast<size_t>(id);
    pieces.push_back({std::string(*vocabulary.PieceOf(id)),
                      index < model.pieces.size() ? model.pieces[index].score : 0.0});
  }
  return Unigram(pieces, {.unknown_id = UnknownId(model), .byte_fallback = byte_fallback});
}

// The file has no merges: each way to part a piece into two others is one, in the order of the
// joined pieces' ids and, for one piece, of the length of the left part.
Bpe MakeBpe(const Model& model, const Vocabulary& vocabulary) {
  std::vector<MergeTable::Merge> merges;
  std::vector<Bpe::Piece> pieces;
  for (const Model::Piece& piece : model.pieces) {
    const std::string_view text = piece.text;
    const int32_t joined = static_cast<int32_t>(pieces.size());
    pieces.push_back({text, joined});
    for (size_t cut = CharacterLength(text[0]); cut < text.size();
         cut += CharacterLength(text[cut])) {
      const auto left = vocabulary.IdOf(text.substr(0, cut));
      const auto right = vocabulary.IdOf(text.substr(cut));
      if (left && right) merges.push_back({*left, *right, joined});
    }
  }
  return Bpe(
      pieces, MergeTable(merges),
      {.unknown_id = UnknownId(model), .fuse_unknown = true, .byte_fallback = model.byte_fallback});
}

// As T5's descendants have it: words by white space, </s> at the end, bytes never.
TokenizerParts MakeT5(const Model& model, const Json& config, TokenizerVocabulary known) {
  AddSentinels(config, known);
  auto unigram = MakeUnigram(model, known.pieces, false);
  std::vector<int32_t> ids_after;
  if (const auto end = known.pieces.IdOf(config.GetString("eos_token", "</s>"))) {
    ids_after.push_back(*end);
  }
  return {.vocabulary = std::move(known.pieces),
          .model = std::move(unigram),
          .added_tokens = std::move(known.added),
          .pre_tokenizer = PreTokenizer({WhitespaceSplit{}, Metaspace{kMark}}),
          .ids_after = std::move(ids_after),
          .decoder = {MetaspacePiecesStep{kMark}}};
}

// All others: no words, blanks are characters.
TokenizerParts MakePlain(const Model& model, TokenizerVocabulary known) {
  std::variant<Unigram, Bpe> subwords =
      model.type == ModelType::kBpe ? std::variant<Unigram, Bpe>(MakeBpe(model, known.pieces))
                                    : MakeUnigram(model, known.pieces, model.byte_fallback);
  std::vector<DecoderStep> decoder = {ReplaceInPiecesStep{kMark, " "}};
  if (model.byte_fallback) decoder.insert(decoder.end(), {ByteFallbackStep{}, FuseStep{}});
  return {.vocabulary = std::move(known.pieces),
          .model = std::move(subwords),
          .added_tokens = std::move(known.added),
          .decoder = std::move(decoder)};
}

}  // namespace

TokenizerParts ReadSentencePieceFile(const std::string& path, const Json& config) {
  const Model model = ReadModel(path);
  if (model.type != ModelType::kUnigram && model.type != ModelType::kBpe) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: model type {} is not supported here", path, static_cast<int>(model.type)),
        "supported are Unigram (1) and BPE (2)");
  }
  const bool t5 = std::filesystem::path(path).filename() == "spiece.model";
  if (t5 && model.type != ModelType::kUnigram) {
    throw Wrong(path, "expected a Unigram model under this name, found BPE");
  }
  TokenizerVocabulary known;
  AddPieces(model, path, known);
  if (!t5) {
    AddFolderTokens(std::filesystem::path(path).parent_path().string(), config, known.pieces,
                    known.added);
  }
  TokenizerParts parts =
      t5 ? MakeT5(model, config, std::move(known)) : MakePlain(model, std::move(known));
  std::vector<NormalizerStep> steps;
  if (!model.charsmap.empty()) steps.push_back(Charsmap(model.charsmap, path));
  if (!t5) steps.push_back(ReplaceStep{" ", kMark});
  parts.normalizer = Normalizer(std::move(steps));
  return parts;
}

}  // namespace vernier
