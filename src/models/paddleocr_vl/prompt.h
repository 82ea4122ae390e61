// What PaddleOCR-VL reads: a conversation written out as the published chat template writes it,
// with one slot for each picture, which its tokens then fill. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

inline constexpr std::string_view kImagePlaceholder = "<|IMAGE_PLACEHOLDER|>";
/// What stands in a prompt for one picture.
inline constexpr std::string_view kImageSlot = "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>";

/// What the assistant's answer begins behind: two published templates differ in one character.
enum class AnswerCue : uint8_t { kNewline, kBlank };

/// Of a folder's chat_template.jinja, or `chat_template` in its tokenizer_config.json; without
/// either, the newer form.
AnswerCue AnswerCueOf(const std::string& folder);

/// A piece of a prompt: a special token of the template, or text.
struct PromptPiece {
  std::string text;
  bool special = false;

  bool operator==(const PromptPiece&) const = default;
};

/// One turn of a conversation, of "system", "user" or "assistant".
struct PromptTurn {
  std::string role = "user";
  int64_t pictures = 0;  // all stand before the text
  std::string text;
};

/// The conversation, open for the assistant's answer where `answer_follows`. Throws Error{kUsage}
/// for a role that is none of the three, and for pictures that are not the user's.
std::vector<PromptPiece> WritePrompt(std::span<const PromptTurn> turns, AnswerCue cue,
                                     bool answer_follows = true);

/// The pieces as one text.
std::string JoinPieces(std::span<const PromptPiece> pieces);

/// What the model was trained to be asked for: "ocr" is "OCR:". Throws Error{kUsage} that lists the
/// tasks.
std::string TaskPrompt(std::string_view task);
std::vector<std::string> TaskNames();

/// `text` with a slot for each picture that it lacks behind its first "User: ", or at its start.
std::string WithImageSlots(std::string text, int64_t pictures);

/// The ids with the k-th `image_token` as tokens_of[k] copies. Throws Error{kUsage} where there are
/// not as many image tokens as pictures.
std::vector<int32_t> FillImageSlots(std::span<const int32_t> ids, int32_t image_token,
                                    std::span<const int64_t> tokens_of);

}  // namespace vernier
