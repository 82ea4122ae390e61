#include "pipeline/chat_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pipeline/causal_rows.h"
#include "pipeline/picture_reader.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// The pictures of all prompts, one behind the other.
class PictureStack {
 public:
  PictureStack(const PaddleOcrVlProcessor& processor, const PageOptions& pages)
      : processor_(processor), pages_(pages) {}

  /// Returns the tokens that the picture becomes.
  int64_t Add(const PictureFile& file, bool for_spotting) {
    try {
      const Image image = DecodePage(file.file, file.page, pages_);
      const PaddleOcrVlProcessor processor = for_spotting ? processor_.ForSpotting() : processor_;
      const OcrGrid grid = processor.GridOf(image);
      Tensor pixels(DType::kF32, processor.OutputShape(image));
      info_.push_back(PictureInfoOf(file, processor.Process(image, pixels.as<float>())));
      info_.back().steps.push_back(fmt::format("{} patches in {} rows and {} columns: {} tokens",
                                               grid.patches(), grid.rows, grid.columns,
                                               grid.tokens()));
      parts_.push_back(std::move(pixels));
      grids_.push_back(grid);
      return grid.tokens();
    } catch (const Error& error) {
      throw NamingFile(error, file.file);
    }
  }

  void AddTo(Pictures& pictures) {
    if (grids_.empty()) return;
    pictures.inputs.emplace(kPixelValues, Joined());
    Tensor grids(DType::kI32, {static_cast<int64_t>(grids_.size()), 3});
    int32_t* to = grids.as<int32_t>().data();
    for (const OcrGrid& grid : grids_) {
      *to++ = 1;
      *to++ = static_cast<int32_t>(grid.rows);
      *to++ = static_cast<int32_t>(grid.columns);
    }
    pictures.inputs.emplace(kImageGrids, std::move(grids));
    pictures.info = std::move(info_);
  }

 private:
  Tensor Joined() {
    if (parts_.size() == 1) return std::move(parts_.front());
    int64_t patches = 0;
    for (const OcrGrid& grid : grids_) patches += grid.patches();
    const Shape& one = parts_.front().shape();
    Tensor all(DType::kF32, {patches, one[1], one[2], one[3]});
    float* to = all.as<float>().data();
    for (Tensor& part : parts_) {
      to = std::ranges::copy(std::as_const(part).as<float>(), to).out;
      part = Tensor();
    }
    return all;
  }

  const PaddleOcrVlProcessor& processor_;
  const PageOptions& pages_;
  std::vector<Tensor> parts_;
  std::vector<OcrGrid> grids_;
  std::vector<PictureInfo> info_;
};

void AddTokens(const std::vector<std::vector<int32_t>>& rows, int32_t pad, NamedTensors& inputs) {
  size_t longest = 0;
  for (const std::vector<int32_t>& row : rows) longest = std::max(longest, row.size());
  const Shape shape{static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)};
  Tensor ids(DType::kI32, shape), mask(DType::kI32, shape);
  int32_t* id = ids.as<int32_t>().data();
  int32_t* real = mask.as<int32_t>().data();
  for (const std::vector<int32_t>& row : rows) {
    const size_t padding = longest - row.size();
    id = std::ranges::copy(row, std::fill_n(id, padding, pad)).out;
    real = std::fill_n(std::fill_n(real, padding, 0), row.size(), 1);
  }
  inputs.emplace(kInputIds, std::move(ids));
  inputs.emplace(kInputMask, std::move(mask));
}

// Parts of the template that a checkpoint's own tokenizer must know.
int32_t SpecialId(const Tokenizer& tokenizer, const std::string& piece, const std::string& folder) {
  if (const auto id = tokenizer.IdOf(piece)) return *id;
  throw Error(
      ErrorKind::kInput,
      fmt::format("{}: the tokenizer does not know {}, which prompts are made of", folder, piece),
      "the tokenizer's file is another model's");
}

}  // namespace

void RequireImageToken(const Tokenizer& tokenizer, int64_t image_token_id,
                       const std::string& folder) {
  const int32_t found = SpecialId(tokenizer, std::string(kImagePlaceholder), folder);
  if (found == image_token_id) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: {} is token {} for the tokenizer, but image_token_id is {} in "
                          "config.json",
                          folder, kImagePlaceholder, found, image_token_id),
              "tokenizer and config.json must come from the same checkpoint");
}

std::vector<int32_t> ChatReader::Encode(std::span<const PromptPiece> pieces,
                                        bool plain_text) const {
  if (!plain_text) return tokenizer->Encode(JoinPieces(pieces), {.add_special_tokens = false});
  std::vector<int32_t> ids;
  const EncodeOptions options{.add_special_tokens = false, .parse_special_tokens = false};
  for (const PromptPiece& piece : pieces) {
    if (piece.special) {
      ids.push_back(SpecialId(*tokenizer, piece.text, folder));
      continue;
    }
    const std::vector<int32_t> text = tokenizer->Encode(piece.text, options);
    ids.insert(ids.end(), text.begin(), text.end());
  }
  return ids;
}

// With one token for each picture's slot.
std::vector<int32_t> ChatReader::TextIds(const ChatPrompt& prompt) const {
  std::vector<PromptPiece> pieces;
  if (prompt.raw.empty()) {
    std::vector<PromptTurn> turns;
    for (const ChatTurn& turn : prompt.turns) {
      turns.push_back({turn.role, std::ssize(turn.pictures), turn.text});
    }
    pieces = WritePrompt(turns, cue);
  } else {
    if (prompt.plain_text) {
      throw Error(ErrorKind::kUsage,
                  "a raw prompt is made of special tokens, and they were switched off",
                  "leave --plain-specials away, or give the text with --prompt");
    }
    int64_t pictures = 0;
    for (const ChatTurn& turn : prompt.turns) pictures += std::ssize(turn.pictures);
    pieces = {{.text = prompt.add_slots ? WithImageSlots(prompt.raw, pictures) : prompt.raw}};
  }
  std::vector<int32_t> ids = Encode(pieces, prompt.plain_text);
  if (std::ssize(ids) < context_tokens) return ids;
  throw Error(ErrorKind::kUsage,
              fmt::format("the prompt's text alone has {} tokens, which leaves nothing of the "
                          "model's context of {} (max_position_embeddings)",
                          ids.size(), context_tokens),
              "give less text");
}

Pictures ChatReader::Read(std::span<const ChatPrompt> prompts) const {
  if (tokenizer == nullptr) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: there is no tokenizer, so text cannot become tokens", folder),
                "put tokenizer.json or tokenizer.model beside config.json");
  }
  std::vector<std::vector<int32_t>> rows;
  for (const ChatPrompt& prompt : prompts) rows.push_back(TextIds(prompt));
  PictureStack stack(*processor, pages);
  for (size_t i = 0; i < rows.size(); ++i) {
    const ChatPrompt& prompt = prompts[i];
    std::vector<int64_t> tokens_of;
    for (const ChatTurn& turn : prompt.turns) {
      for (const PictureFile& file : turn.pictures) {
        tokens_of.push_back(stack.Add(file, prompt.for_spotting));
      }
    }
    rows[i] = FillImageSlots(rows[i], image_token_id, tokens_of);
  }
  Pictures pictures;
  stack.AddTo(pictures);
  AddTokens(rows, pad_token_id, pictures.inputs);
  return pictures;
}

}  // namespace vernier
