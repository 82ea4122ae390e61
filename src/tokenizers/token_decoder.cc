#include "tokenizers/token_decoder.h"

#include <algorithm>
#include <utility>

namespace vernier {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// Bytes at the end of `text` that could be the beginning of `pattern`.
size_t PossibleBeginning(std::string_view text, std::string_view pattern) {
  for (size_t length = std::min(text.size(), pattern.size() - 1); length > 0; --length) {
    if (text.ends_with(pattern.substr(0, length))) return length;
  }
  return 0;
}

// `stripped` counts what went so far, and is full once something else came.
std::string_view WithoutStart(std::string_view text, const StripPiecesStep& step,
                              size_t& stripped) {
  for (; stripped < step.start && text.starts_with(step.character); ++stripped) {
    text.remove_prefix(step.character.size());
  }
  if (!text.empty()) stripped = step.start;
  return text;
}

std::string_view WithoutEnd(std::string_view text, const StripPiecesStep& step) {
  for (size_t i = 0; i < step.stop && text.ends_with(step.character); ++i) {
    text.remove_suffix(step.character.size());
  }
  return text;
}

std::string TextOfBytes(const std::string& bytes) {
  if (FirstInvalidByte(bytes) == std::string::npos) return bytes;
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) text += kReplacementCharacter;
  return text;
}

}  // namespace

// What a step does with a piece, and at the end of all pieces.
struct TokenDecoder::Run {
  TokenDecoder& decoder;
  size_t index;
  std::string_view piece;
  bool at_end;

  Stage& stage() const { return decoder.stages_[index]; }
  void Next(std::string_view text) const { decoder.Pass(index + 1, text); }

  void operator()(const ReplaceInPiecesStep& step) const {
    if (!stage().fused) {
      if (!at_end) Next(ReplaceAll(piece, step.pattern, step.content));
      return;
    }
    std::string text = std::exchange(stage().held, "") += piece;
    // After the last match all is decided but what could be the beginning of another one.
    const size_t last = text.rfind(step.pattern);
    const size_t open = last == std::string::npos ? 0 : last + step.pattern.size();
    const size_t kept =
        at_end ? 0 : PossibleBeginning(std::string_view(text).substr(open), step.pattern);
    stage().held = text.substr(text.size() - kept);
    text.resize(text.size() - kept);
    if (!text.empty()) Next(ReplaceAll(text, step.pattern, step.content));
  }

  void operator()(ByteFallbackStep) const {
    const int byte = at_end ? -1 : ByteOfPiece(piece);
    if (byte >= 0) {
      stage().held += static_cast<char>(byte);
      return;
    }
    if (!stage().held.empty()) Next(TextOfBytes(std::exchange(stage().held, "")));
    if (!at_end) Next(piece);
  }

  void operator()(FuseStep) const {
    if (!at_end) Next(piece);
  }

  void operator()(const StripPiecesStep& step) const {
    if (!stage().fused) {
      size_t stripped = 0;
      if (!at_end) Next(WithoutEnd(WithoutStart(piece, step, stripped), step));
      return;
    }
    const std::string text = std::exchange(stage().held, "") += piece;
    const std::string_view rest = WithoutStart(text, step, stage().stripped);
    const std::string_view decided = WithoutEnd(rest, step);
    if (!at_end) stage().held = rest.substr(decided.size());
    if (!decided.empty()) Next(decided);
  }

  void operator()(const MetaspacePiecesStep& step) const {
    if (at_end) return;
    const bool first = stage().fused || stage().pieces++ == 0;
    Next(ReplaceAll(piece, step.replacement, first && step.prepended ? "" : " "));
  }

  void operator()(JoinWithBlanksStep) const {
    if (at_end) return;
    if (stage().pieces++ > 0) Next(" ");
    Next(piece);
  }
};

TokenDecoder::TokenDecoder(const std::vector<DecoderStep>& steps) {
  bool fused = false;
  for (const DecoderStep& step : steps) {
    stages_.push_back({&step, fused});
    fused |= std::holds_alternative<FuseStep>(step);
  }
}

std::string TokenDecoder::Push(std::string_view piece) {
  Pass(0, piece);
  return std::exchange(text_, "");
}

std::string TokenDecoder::Finish() {
  for (size_t i = 0; i < stages_.size(); ++i) Flush(i);
  return std::exchange(text_, "");
}

void TokenDecoder::Pass(size_t stage, std::string_view piece) {
  if (stage == stages_.size()) {
    text_ += piece;
  } else {
    std::visit(Run{*this, stage, piece, false}, *stages_[stage].step);
  }
}

void TokenDecoder::Flush(size_t stage) {
  std::visit(Run{*this, stage, "", true}, *stages_[stage].step);
}

}  // namespace vernier
