#include "tokenizers/pipeline_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "tokenizers/added_tokens.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Positions in a text are kept in 32 bits, and normalisation may make it longer.
constexpr size_t kMaxTextBytes = size_t{1} << 27;

void CheckText(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("a text of {} bytes is too long to be tokenised; the most is {}",
                            text.size(), kMaxTextBytes),
                "give it in parts");
  }
  if (const size_t bad = FirstInvalidByte(text); bad != std::string_view::npos) {
    throw Error(ErrorKind::kInput,
                fmt::format("the text is not valid UTF-8: byte {} (0x{:02x}) begins no character",
                            bad, static_cast<uint8_t>(text[bad])),
                "convert it to UTF-8 first, for example with iconv");
  }
}

class PipelineTokenizer final : public Tokenizer {
 public:
  explicit PipelineTokenizer(TokenizerParts parts) : parts_(std::move(parts)) {
    auto& added = parts_.added_tokens;
    std::sort(added.begin(), added.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    special_.resize(static_cast<size_t>(vocab_size()));
    for (const AddedToken& token : added) {
      if (token.special) special_[static_cast<size_t>(token.id)] = true;
      if (token.normalized) {
        std::string normalized = parts_.normalizer.Apply(token.content).text;
        if (normalized != token.content) normalized_.emplace(token.id, std::move(normalized));
      }
    }
    std::vector<AddedTokenFinder::Pattern> typed, normalized;
    for (const AddedToken& token : added) {
      (token.normalized ? normalized : typed).push_back({DecodedPiece(token.id), &token});
    }
    typed_finder_ = AddedTokenFinder(typed);
    normalized_finder_ = AddedTokenFinder(normalized);
  }

  std::vector<int32_t> Encode(std::string_view text, const EncodeOptions& options) const override {
    CheckText(text);
    std::vector<int32_t> ids;
    ids.reserve(text.size() / 3 + 8);
    if (options.add_special_tokens) ids = parts_.ids_before;
    Workspaces workspaces;
    for (const auto& part : typed_finder_.Split(text, options.parse_special_tokens)) {
      if (part.token != nullptr) {
        ids.push_back(part.token->id);
      } else {
        EncodePlain(text.substr(part.begin, part.end - part.begin), part.begin == 0, options,
                    workspaces, ids);
      }
    }
    if (options.add_special_tokens) {
      ids.insert(ids.end(), parts_.ids_after.begin(), parts_.ids_after.end());
    }
    return ids;
  }

  std::unique_ptr<StreamDecoder> Stream(const DecodeOptions& options) const override {
    return std::make_unique<PieceStream>(*this, options);
  }

  int32_t vocab_size() const override { return parts_.vocabulary.id_bound(); }
  std::optional<int32_t> IdOf(std::string_view piece) const override {
    return parts_.vocabulary.IdOf(piece);
  }
  std::optional<std::string_view> PieceOf(int32_t id) const override {
    return parts_.vocabulary.PieceOf(id);
  }
  std::span<const AddedToken> added_tokens() const override { return parts_.added_tokens; }

 private:
  using Workspaces = std::tuple<Unigram::Workspace, Bpe::Workspace>;

  class PieceStream final : public StreamDecoder {
   public:
    PieceStream(const PipelineTokenizer& tokenizer, const DecodeOptions& options)
        : tokenizer_(tokenizer), options_(options), decoder_(tokenizer.parts_.decoder) {}

    std::string Push(int32_t id) override {
      if (!tokenizer_.PieceOf(id)) return "";
      if (options_.skip_special_tokens && tokenizer_.special_[static_cast<size_t>(id)]) return "";
      return decoder_.Push(tokenizer_.DecodedPiece(id));
    }
    std::string Finish() override { return decoder_.Finish(); }

   private:
    const PipelineTokenizer& tokenizer_;
    DecodeOptions options_;
    TokenDecoder decoder_;
  };

  // What the decoder is given: added tokens that are looked for in normalised text are decoded from
  // it too.
  std::string_view DecodedPiece(int32_t id) const {
    const auto normalized = normalized_.find(id);
    return normalized != normalized_.end() ? normalized->second
                                           : parts_.vocabulary.PieceOf(id).value();
  }

  void EncodePlain(std::string_view text, bool at_start, const EncodeOptions& options,
                   Workspaces& workspaces, std::vector<int32_t>& ids) const {
    const std::vector<bool> none;
    const std::vector<bool>& forbidden = options.parse_special_tokens ? none : special_;
    const NormalizedText normalized = parts_.normalizer.Apply(text);
    at_start = at_start && normalized.at_start;
    for (const auto& part :
         normalized_finder_.Split(normalized.text, options.parse_special_tokens)) {
      if (part.token != nullptr) {
        ids.push_back(part.token->id);
        continue;
      }
      const Words words = parts_.pre_tokenizer.Apply(
          normalized.text.substr(part.begin, part.end - part.begin), at_start && part.begin == 0);
      std::visit(
          [&]<typename Model>(const Model& model) {
            auto& workspace = std::get<typename Model::Workspace>(workspaces);
            for (const Words::Word& word : words.words) {
              model.Encode(std::string_view(words.text).substr(word.begin, word.end - word.begin),
                           forbidden, workspace, ids);
            }
          },
          parts_.model);
    }
  }

  TokenizerParts parts_;
  std::vector<bool> special_;                            // by id
  std::unordered_map<int32_t, std::string> normalized_;  // contents that normalisation changes
  AddedTokenFinder typed_finder_;                        // point to parts_.added_tokens
  AddedTokenFinder normalized_finder_;
};

}  // namespace

std::unique_ptr<Tokenizer> MakeTokenizer(TokenizerParts parts) {
  return std::make_unique<PipelineTokenizer>(std::move(parts));
}

}  // namespace vernier
