#include "tokenizers/normalizer.h"

namespace vernier {
namespace {

size_t BlanksAtLeft(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && IsWhiteSpace(CodePoint(text.substr(i)))) i += CharacterLength(text[i]);
  return i;
}

std::string_view WithoutBlanksAtRight(std::string_view text) {
  while (!text.empty()) {
    const size_t last = PreviousCharacter(text, text.size());
    if (!IsWhiteSpace(CodePoint(text.substr(last)))) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string WithoutMarks(std::string_view text) {
  std::string result;
  for (size_t i = 0, length; i < text.size(); i += length) {
    length = CharacterLength(text[i]);
    if (!IsMark(CodePoint(text.substr(i)))) result += text.substr(i, length);
  }
  return result;
}

struct Apply {
  NormalizedText& value;

  void operator()(const Charsmap& map) const { value.text = map.Apply(value.text); }
  void operator()(UnicodeForm form) const { value.text = Normalize(value.text, form); }
  void operator()(const ReplaceStep& step) const { value.text = step.Apply(value.text); }
  void operator()(const StripStep& step) const {
    std::string_view rest = value.text;
    if (step.left) rest.remove_prefix(BlanksAtLeft(rest));
    value.at_start &= rest.size() == value.text.size();
    if (step.right) rest = WithoutBlanksAtRight(rest);
    value.text = std::string(rest);
  }
  void operator()(const PrependStep& step) const {
    if (!value.text.empty()) value.text.insert(0, step.prefix);
  }
  void operator()(LowercaseStep) const { value.text = Lowercase(value.text); }
  void operator()(StripAccentsStep) const {
    value.at_start &= value.text.empty() || !IsMark(CodePoint(value.text));
    value.text = WithoutMarks(value.text);
  }
};

}  // namespace

std::string ReplaceAll(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string result;
  result.reserve(text.size());
  size_t done = 0;
  for (size_t found; (found = text.find(pattern, done)) != std::string_view::npos;) {
    result.append(text.substr(done, found - done)).append(content);
    done = found + pattern.size();
  }
  return result.append(text.substr(done));
}

std::string ReplaceStep::Apply(std::string_view text) const {
  if (at_least == 0) return ReplaceAll(text, pattern, content);
  std::string result;
  result.reserve(text.size());
  size_t done = 0;
  for (size_t found = 0; (found = text.find(pattern, found)) != std::string_view::npos;) {
    size_t end = found;
    size_t times = 0;
    for (; text.substr(end).starts_with(pattern); end += pattern.size()) ++times;
    if (times >= at_least) {
      result.append(text.substr(done, found - done)).append(content);
      done = end;
    }
    found = end;
  }
  return result.append(text.substr(done));
}

NormalizedText Normalizer::Apply(std::string_view text) const {
  NormalizedText value{std::string(text), true};
  for (const NormalizerStep& step : steps_) std::visit(vernier::Apply{value}, step);
  return value;
}

}  // namespace vernier
