#include "metrics/text_bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "core/check.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "metrics/word_runs.h"

namespace vernier {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsStop(char c) { return c == '.' || c == ','; }

// ASCII punctuation but for ' , - and . which have rules of their own.
bool StandsAlone(char c) {
  return (c >= '!' && c <= '/' && c != '\'' && c != ',' && c != '-' && c != '.') ||
         (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Bytes of the white space that `text` begins with, 0 for none.
size_t SpaceLength(std::string_view text) {
  const size_t length = Utf8Length(text);
  return length > 0 && IsSpace(CodePoints(text.substr(0, length))[0]) ? length : 0;
}

size_t CharacterLength(std::string_view text) { return std::max<size_t>(1, Utf8Length(text)); }

std::string_view WithoutTrailingSpace(std::string_view text) {
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t length = CharacterLength(text.substr(at));
    if (SpaceLength(text.substr(at)) == 0) end = at + length;
    at += length;
  }
  return text.substr(0, end);
}

// One pass of a published pattern of two characters, left to right without overlap: where `first`
// and `second` match, `write` says what stands there instead.
template <typename Matches, typename Write>
std::string RewritePairs(const std::string& text, const Matches& matches, const Write& write) {
  std::string rewritten;
  for (size_t at = 0; at < text.size();) {
    if (at + 1 < text.size() && matches(text[at], text[at + 1])) {
      write(rewritten, text[at], text[at + 1]);
      at += 2;
    } else {
      rewritten += text[at++];
    }
  }
  return rewritten;
}

std::vector<std::string> SplitAtSpaces(const std::string& text) {
  std::vector<std::string> tokens;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    const size_t space = SpaceLength(rest);
    if (space == 0) {
      if (!inside) tokens.emplace_back();
      tokens.back() += rest.substr(0, CharacterLength(rest));
    }
    inside = space == 0;
    at += CharacterLength(rest);
  }
  return tokens;
}

double Bleu(const BleuCounts& counts, bool effective_order) {
  if (std::ranges::all_of(counts.matches, [](int64_t n) { return n == 0; })) return 0;
  double penalty = 1;
  if (counts.candidate_length < counts.reference_length) {
    penalty = std::exp(1 - static_cast<double>(counts.reference_length) /
                               static_cast<double>(counts.candidate_length));
  }
  double halved = 1;
  double logs = 0;
  int orders = kBleuOrders;
  for (int n = 0; n < kBleuOrders; ++n) {
    const auto total = static_cast<double>(counts.totals[n]);
    if (counts.totals[n] == 0) {
      // The rest has no runs either. A corpus keeps its four orders, and this one spoils them.
      if (!effective_order) return 0;
      break;
    }
    if (effective_order) orders = n + 1;
    if (counts.matches[n] > 0) {
      logs += std::log(100.0 * static_cast<double>(counts.matches[n]) / total);
    } else {
      halved *= 2;
      logs += std::log(100.0 / (halved * total));
    }
  }
  return penalty * std::exp(logs / orders);
}

}  // namespace

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
  for (int n = 0; n < kBleuOrders; ++n) {
    matches[n] += other.matches[n];
    totals[n] += other.totals[n];
  }
  candidate_length += other.candidate_length;
  reference_length += other.reference_length;
  return *this;
}

std::vector<std::string> BleuTokens(std::string_view text) {
  std::string line(WithoutTrailingSpace(text));
  ReplaceAll(line, "<skipped>", "");
  ReplaceAll(line, "-\n", "");
  ReplaceAll(line, "\n", " ");
  ReplaceAll(line, "&quot;", "\"");
  ReplaceAll(line, "&amp;", "&");
  ReplaceAll(line, "&lt;", "<");
  ReplaceAll(line, "&gt;", ">");
  std::string spaced = " ";
  for (char c : line) spaced += StandsAlone(c) ? std::string{' ', c, ' '} : std::string(1, c);
  spaced += ' ';
  const auto split_behind_first = [](std::string& to, char a, char b) { to += {a, ' ', b, ' '}; };
  // Bytes do where the pattern says characters: a part of a longer character is neither a digit
  // nor punctuation, and blanks come only beside the ASCII one of the pair.
  spaced = RewritePairs(
      spaced, [](char a, char b) { return !IsDigit(a) && IsStop(b); }, split_behind_first);
  spaced = RewritePairs(
      spaced, [](char a, char b) { return IsStop(a) && !IsDigit(b); },
      [](std::string& to, char a, char b) {
        to += {' ', a, ' ', b};
      });
  spaced = RewritePairs(
      spaced, [](char a, char b) { return IsDigit(a) && b == '-'; }, split_behind_first);
  return SplitAtSpaces(spaced);
}

BleuCounts CountBleu(std::span<const std::string> references, std::string_view candidate) {
  VN_CHECK(!references.empty());
  const std::vector<std::string> found = BleuTokens(candidate);
  std::vector<std::vector<std::string>> expected;
  for (const std::string& reference : references) expected.push_back(BleuTokens(reference));

  BleuCounts counts;
  counts.candidate_length = static_cast<int64_t>(found.size());
  const auto distance = [&](const std::vector<std::string>& tokens) {
    return std::llabs(static_cast<int64_t>(tokens.size()) - counts.candidate_length);
  };
  const auto closest = std::ranges::min_element(expected, [&](const auto& a, const auto& b) {
    return std::pair(distance(a), a.size()) < std::pair(distance(b), b.size());
  });
  counts.reference_length = static_cast<int64_t>(closest->size());
  for (size_t n = 0; n < kBleuOrders; ++n) {
    WordRuns most;
    for (const auto& tokens : expected) {
      for (const auto& [run, count] : CountRuns(tokens, n + 1)) {
        most[run] = std::max(most[run], count);
      }
    }
    const WordRuns runs = CountRuns(found, n + 1);
    counts.totals[n] = TotalRuns(runs);
    counts.matches[n] = SharedRuns(runs, most);
  }
  return counts;
}

double CorpusBleu(const BleuCounts& counts) { return Bleu(counts, false); }

double SentenceBleu(const BleuCounts& counts) { return Bleu(counts, true); }

}  // namespace vernier
