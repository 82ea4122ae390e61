#include "tokenizers/pre_tokenizer.h"

#include <string_view>

#include "tokenizers/characters.h"

namespace vernier {
namespace {

Words Split(WhitespaceSplit, Words input) {
  std::vector<Words::Word> words;
  for (const Words::Word& word : input.words) {
    size_t begin = word.begin;
    const auto close = [&](size_t end) {
      if (begin < end) words.push_back({begin, end, word.at_start && begin == word.begin});
    };
    for (size_t i = word.begin, length; i < word.end; i += length) {
      length = CharacterLength(input.text[i]);
      if (!IsWhiteSpace(CodePoint(std::string_view(input.text).substr(i)))) continue;
      close(i);
      begin = i + length;
    }
    close(word.end);
  }
  return {std::move(input.text), std::move(words)};
}

Words Split(const Metaspace& metaspace, const Words& input) {
  const std::string_view mark = metaspace.replacement;
  Words result;
  result.text.reserve(input.text.size() + input.text.size() / 2 + mark.size());
  result.words.reserve(input.words.size());
  for (const Words::Word& word : input.words) {
    const std::string_view text(input.text.data() + word.begin, word.end - word.begin);
    size_t begin = result.text.size();
    bool at_start = word.at_start;
    const auto close = [&] {
      if (begin < result.text.size()) {
        result.words.push_back({begin, result.text.size(), at_start});
        at_start = false;
      }
      begin = result.text.size();
    };
    const bool wanted = metaspace.prepend == Metaspace::Prepend::kAlways ||
                        (metaspace.prepend == Metaspace::Prepend::kFirst && word.at_start);
    if (wanted && text[0] != ' ' && !text.starts_with(mark)) result.text += mark;
    for (size_t i = 0; i < text.size();) {
      const bool blank = text[i] == ' ';
      if (blank || (text[i] == mark[0] && text.substr(i).starts_with(mark))) {
        if (metaspace.split) close();
        result.text += mark;
        i += blank ? 1 : mark.size();
      } else {
        result.text += text[i++];
      }
    }
    close();
  }
  return result;
}

}  // namespace

Words PreTokenizer::Apply(std::string text, bool at_start) const {
  Words words{std::move(text), {}};
  if (!words.text.empty()) words.words.push_back({0, words.text.size(), at_start});
  for (const Step& step : steps_) {
    words = std::visit([&](const auto& split) { return Split(split, std::move(words)); }, step);
  }
  return words;
}

}  // namespace vernier
