#include <fmt/format.h>

#include "tokenizers/tokenizer_json.h"
#include "vernier/error.h"

namespace vernier {
namespace {

Error NotSupported(const Json& step, const std::string& key, const std::string& supported) {
  return Error(ErrorKind::kInput,
               fmt::format("{} is \"{}\", which is not supported here", step.Where(key),
                           step.GetString(key)),
               "supported are " + supported);
}

// Calls read(step) for the member `key` of the file, or for each step of the sequence it is.
template <typename Read>
void ForEachStep(const Json& step, std::string_view list, const Read& read) {
  if (step.GetString("type") != "Sequence") return read(step);
  for (const Json& inner : step.GetArray(list).items()) ForEachStep(inner, list, read);
}

template <typename Read>
void ForEachStepOf(const Json& root, std::string_view key, std::string_view list,
                   const Read& read) {
  const Json* step = root.Find(key);
  if (step != nullptr && !step->is_null()) ForEachStep(root.GetObject(key), list, read);
}

Error Wrong(const Json& step, std::string_view key, const std::string& expected) {
  return Error(ErrorKind::kInput, fmt::format("{}: expected {}", step.Where(key), expected),
               "the file is damaged or of a kind that is not known here");
}

std::string OneCharacter(const Json& step, std::string_view key) {
  std::string text = step.GetString(key);
  if (text.empty() || CharacterLength(text[0]) != text.size()) {
    throw Wrong(step, key, "one character, found \"" + text + "\"");
  }
  return text;
}

size_t Count(const Json& step, std::string_view key) {
  const int64_t count = step.GetInt(key);
  if (count < 0) throw Wrong(step, key, fmt::format("a count, found {}", count));
  return static_cast<size_t>(count);
}

// "x+" and "x{n,}" for one plain character x: what published files contain.
ReplaceStep RepeatedCharacter(const Json& pattern, std::string content) {
  const std::string regex = pattern.GetString("Regex");
  const size_t length = regex.empty() ? 0 : CharacterLength(regex[0]);
  const std::string_view suffix = std::string_view(regex).substr(length);
  const bool plain =
      length > 0 && std::string_view("\\^$.|?*+()[]{}").find(regex[0]) == std::string_view::npos;
  if (plain && suffix == "+") return {regex.substr(0, length), std::move(content), 1};
  if (plain && suffix.size() == 4 && suffix[0] == '{' && suffix[1] > '0' && suffix[1] <= '9' &&
      suffix.ends_with(",}")) {
    return {regex.substr(0, length), std::move(content), static_cast<size_t>(suffix[1] - '0')};
  }
  throw NotSupported(pattern, "Regex", "one character followed by + or by {n,} with n from 1 to 9");
}

ReplaceStep ReadReplace(const Json& step) {
  const Json& pattern = step.GetObject("pattern");
  std::string content = step.GetString("content");
  if (pattern.Has("Regex")) return RepeatedCharacter(pattern, std::move(content));
  std::string text = pattern.GetString("String");
  if (text.empty()) throw Wrong(pattern, "String", "a text that is not empty");
  return {std::move(text), std::move(content)};
}

Charsmap ReadCharsmap(const Json& step) {
  const std::string key = "precompiled_charsmap";
  const auto blob = DecodeBase64(step.GetString(key));
  if (!blob) throw Wrong(step, key, "Base64");
  return Charsmap(*blob, step.Where(key));
}

NormalizerStep ReadNormalizerStep(const Json& step) {
  const std::string type = step.GetString("type");
  if (type == "Precompiled") return ReadCharsmap(step);
  if (type == "NFC") return UnicodeForm::kNfc;
  if (type == "NFD") return UnicodeForm::kNfd;
  if (type == "NFKC") return UnicodeForm::kNfkc;
  if (type == "NFKD") return UnicodeForm::kNfkd;
  if (type == "Replace") return ReadReplace(step);
  if (type == "Strip") return StripStep{step.GetBool("strip_left"), step.GetBool("strip_right")};
  if (type == "Prepend") return PrependStep{step.GetString("prepend")};
  if (type == "Lowercase") return LowercaseStep{};
  if (type == "StripAccents") return StripAccentsStep{};
  throw NotSupported(step, "type",
                     "Precompiled, NFC, NFD, NFKC, NFKD, Replace, Strip, Prepend, Lowercase, "
                     "StripAccents and Sequence");
}

// prepend_scheme, and the older add_prefix_space that stands for it.
Metaspace::Prepend ReadPrepend(const Json& step) {
  const bool prefix = step.GetBool("add_prefix_space", true);
  const std::string scheme = step.GetString("prepend_scheme", prefix ? "always" : "never");
  if (!prefix && scheme != "never") {
    throw Wrong(step, "prepend_scheme",
                "\"never\" beside add_prefix_space false, found \"" + scheme + "\"");
  }
  if (scheme == "always") return Metaspace::Prepend::kAlways;
  if (scheme == "first") return Metaspace::Prepend::kFirst;
  if (scheme == "never") return Metaspace::Prepend::kNever;
  throw NotSupported(step, "prepend_scheme", "always, first and never");
}

PreTokenizer::Step ReadPreTokenizerStep(const Json& step) {
  const std::string type = step.GetString("type");
  if (type == "WhitespaceSplit") return WhitespaceSplit{};
  if (type == "Metaspace") {
    return Metaspace{OneCharacter(step, "replacement"), ReadPrepend(step),
                     step.GetBool("split", true)};
  }
  throw NotSupported(step, "type", "Metaspace, WhitespaceSplit and Sequence");
}

DecoderStep ReadDecoderStep(const Json& step) {
  const std::string type = step.GetString("type");
  if (type == "ByteFallback") return ByteFallbackStep{};
  if (type == "Fuse") return FuseStep{};
  if (type == "Strip") {
    return StripPiecesStep{OneCharacter(step, "content"), Count(step, "start"),
                           Count(step, "stop")};
  }
  if (type == "Metaspace") {
    return MetaspacePiecesStep{OneCharacter(step, "replacement"),
                               ReadPrepend(step) != Metaspace::Prepend::kNever};
  }
  if (type == "Replace") {
    const Json& pattern = step.GetObject("pattern");
    if (pattern.Has("Regex")) throw NotSupported(pattern, "Regex", "patterns that are a String");
    ReplaceStep replace = ReadReplace(step);
    return ReplaceInPiecesStep{std::move(replace.pattern), std::move(replace.content)};
  }
  throw NotSupported(step, "type", "Replace, ByteFallback, Fuse, Strip, Metaspace and Sequence");
}

}  // namespace

Normalizer ReadNormalizer(const Json& root) {
  std::vector<NormalizerStep> steps;
  ForEachStepOf(root, "normalizer", "normalizers",
                [&](const Json& step) { steps.push_back(ReadNormalizerStep(step)); });
  return Normalizer(std::move(steps));
}

PreTokenizer ReadPreTokenizer(const Json& root) {
  std::vector<PreTokenizer::Step> steps;
  ForEachStepOf(root, "pre_tokenizer", "pretokenizers",
                [&](const Json& step) { steps.push_back(ReadPreTokenizerStep(step)); });
  return PreTokenizer(std::move(steps));
}

std::vector<DecoderStep> ReadDecoder(const Json& root) {
  std::vector<DecoderStep> steps;
  const Json* decoder = root.Find("decoder");
  if (decoder == nullptr || decoder->is_null()) return {JoinWithBlanksStep{}};
  ForEachStepOf(root, "decoder", "decoders",
                [&](const Json& step) { steps.push_back(ReadDecoderStep(step)); });
  return steps;
}

}  // namespace vernier
