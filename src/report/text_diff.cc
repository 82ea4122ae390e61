#include "report/text_diff.h"

#include <algorithm>
#include <cstdint>

namespace vernier {
namespace {

// Time and memory of the comparison grow with the product of both counts.
constexpr size_t kMaxWords = 2000;

bool Blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Runs of blanks and runs of everything else, in order.
std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i == text.size() || Blank(text[i]) != Blank(text[begin])) {
      words.push_back(text.substr(begin, i - begin));
      begin = i;
    }
  }
  return words;
}

class Parts {
 public:
  void Add(DiffKind kind, std::string_view text) {
    if (text.empty()) return;
    if (parts_.empty() || parts_.back().kind != kind) parts_.push_back({kind, ""});
    parts_.back().text += text;
  }
  std::vector<DiffPart> Take() { return std::move(parts_); }

 private:
  std::vector<DiffPart> parts_;
};

}  // namespace

std::vector<DiffPart> DiffWords(std::string_view reference, std::string_view candidate) {
  Parts parts;
  const auto a = Words(reference);
  const auto b = Words(candidate);
  if (a.size() > kMaxWords || b.size() > kMaxWords) {
    const bool same = reference == candidate;
    parts.Add(same ? DiffKind::kSame : DiffKind::kOnlyReference, reference);
    if (!same) parts.Add(DiffKind::kOnlyCandidate, candidate);
    return parts.Take();
  }
  // common[i][j]: words that a[i:] and b[j:] have in common, in order.
  const size_t columns = b.size() + 1;
  std::vector<uint16_t> common((a.size() + 1) * columns, 0);
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      common[i * columns + j] =
          a[i] == b[j] ? static_cast<uint16_t>(common[(i + 1) * columns + j + 1] + 1)
                       : std::max(common[(i + 1) * columns + j], common[i * columns + j + 1]);
    }
  }
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      parts.Add(DiffKind::kSame, a[i]);
      ++i, ++j;
    } else if (i < a.size() &&
               (j == b.size() || common[(i + 1) * columns + j] >= common[i * columns + j + 1])) {
      parts.Add(DiffKind::kOnlyReference, a[i++]);
    } else {
      parts.Add(DiffKind::kOnlyCandidate, b[j++]);
    }
  }
  return parts.Take();
}

}  // namespace vernier
