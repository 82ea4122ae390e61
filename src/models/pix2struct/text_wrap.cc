#include "models/pix2struct/text_wrap.h"

#include <algorithm>

#include "core/unicode.h"

namespace vernier {
namespace {

using Text = std::u32string;
using TextView = std::u32string_view;

constexpr size_t kTabSize = 8;

// str.expandtabs(8), then textwrap's own white space as blanks.
Text WithBlanks(const Text& text) {
  Text out;
  size_t column = 0;
  for (char32_t c : text) {
    if (c == U'\t') {
      const size_t count = kTabSize - column % kTabSize;
      out.append(count, U' ');
      column += count;
      continue;
    }
    column = c == U'\n' || c == U'\r' ? 0 : column + 1;
    out.push_back(c == U'\n' || c == U'\r' || c == U'\v' || c == U'\f' ? U' ' : c);
  }
  return out;
}

// Pieces between which a line may end: textwrap's wordsep_re, rule by rule.
class Splitter {
 public:
  explicit Splitter(TextView text) : text_(text) {}

  std::vector<TextView> Chunks() const {
    std::vector<TextView> chunks;
    for (size_t at = 0; at < text_.size();) {
      const size_t end = EndOfChunk(at);
      chunks.push_back(text_.substr(at, end - at));
      at = end;
    }
    return chunks;
  }

 private:
  char32_t At(size_t i) const { return i < text_.size() ? text_[i] : U'\0'; }
  bool Blank(size_t i) const { return At(i) == U' '; }
  bool Word(size_t i) const { return i < text_.size() && IsPythonWord(text_[i]); }
  bool Letter(size_t i) const { return Word(i) && DecimalDigit(text_[i]) < 0; }
  bool WordOrPunctuation(size_t i) const {
    return Word(i) || (i < text_.size() && TextView(U"!\"'&.,?").find(text_[i]) != TextView::npos);
  }

  // Two or more hyphens from `at` that a word follows; where they end, else `at`.
  size_t EndOfDash(size_t at) const {
    size_t end = at;
    while (At(end) == U'-') ++end;
    return end - at >= 2 && Word(end) ? end : at;
  }

  // Whether a word may be cut after the hyphen at `i`.
  bool CutsAfterHyphen(size_t i) const {
    if (At(i) != U'-' || i < 2) return false;
    const bool two_before = Letter(i - 1) && Letter(i - 2);
    const bool one_by_one = i >= 3 && Letter(i - 1) && At(i - 2) == U'-' && Letter(i - 3);
    const bool after = Letter(i + 1) && (Letter(i + 2) || (At(i + 2) == U'-' && Letter(i + 3)));
    return (two_before || one_by_one) && after;
  }

  size_t EndOfChunk(size_t at) const {
    if (Blank(at)) {
      while (Blank(at)) ++at;
      return at;
    }
    if (at > 0 && WordOrPunctuation(at - 1) && EndOfDash(at) > at) return EndOfDash(at);
    for (size_t end = at + 1;; ++end) {
      if (end > at + 1 && CutsAfterHyphen(end - 1)) return end;
      if (end >= text_.size() || Blank(end)) return end;
      if (WordOrPunctuation(end - 1) && EndOfDash(end) > end) return end;
    }
  }

  TextView text_;
};

bool IsBlank(TextView chunk) { return std::ranges::all_of(chunk, IsSpace); }

// How much of a word longer than a line fits into `room`: up to its last hyphen there, if anything
// but hyphens stands before that.
size_t LongWordCut(TextView word, size_t room) {
  const size_t hyphen = word.substr(0, room).rfind(U'-');
  if (hyphen == TextView::npos || hyphen == 0) return room;
  const bool only_hyphens = word.substr(0, hyphen).find_first_not_of(U'-') == TextView::npos;
  return only_hyphens ? room : hyphen + 1;
}

}  // namespace

std::vector<std::u32string> WrapText(std::string_view utf8, size_t width) {
  const Text text = WithBlanks(CodePoints(utf8));
  std::vector<TextView> chunks = Splitter(text).Chunks();
  std::ranges::reverse(chunks);
  std::vector<Text> lines;
  while (!chunks.empty()) {
    if (!lines.empty() && IsBlank(chunks.back())) chunks.pop_back();
    std::vector<TextView> line;
    size_t length = 0;
    while (!chunks.empty() && length + chunks.back().size() <= width) {
      line.push_back(chunks.back());
      length += chunks.back().size();
      chunks.pop_back();
    }
    // A word that fits on no line is cut. On a full line its part is empty, and is what the next
    // step takes away in place of a blank: so does textwrap.
    if (!chunks.empty() && chunks.back().size() > width) {
      const size_t cut = LongWordCut(chunks.back(), width - length);
      line.push_back(chunks.back().substr(0, cut));
      chunks.back().remove_prefix(cut);
    }
    if (!line.empty() && IsBlank(line.back())) line.pop_back();
    if (line.empty()) continue;
    Text joined;
    for (TextView chunk : line) joined += chunk;
    lines.push_back(std::move(joined));
  }
  return lines;
}

}  // namespace vernier
