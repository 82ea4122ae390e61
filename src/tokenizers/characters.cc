#include "tokenizers/characters.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>

#include <charconv>
#include <cstring>

#include "core/check.h"
#include "core/utf8.h"

namespace vernier {
namespace {

UChar32 Code(char32_t code_point) { return static_cast<UChar32>(code_point); }

bool AllAscii(std::string_view text) {
  unsigned char any = 0;
  for (const char c : text) any |= static_cast<unsigned char>(c);
  return any < 0x80;
}

// The `tokenizers` library normalises by the tables of this version of Unicode, whatever newer ones
// say: characters that came later neither change nor count as marks.
constexpr uint8_t kNormalizationVersion = 9;

const icu::UnicodeSet& NormalizedCharacters() {
  static const icu::UnicodeSet characters = [] {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet set;
    set.applyPattern(icu::UnicodeString(fmt::format("[:age={}.0:]", kNormalizationVersion).c_str()),
                     status);
    set.freeze();
    VN_CHECK(U_SUCCESS(status), u_errorName(status));
    return set;
  }();
  return characters;
}

UGraphemeClusterBreak ClusterClass(char32_t c) {
  return static_cast<UGraphemeClusterBreak>(
      u_getIntPropertyValue(Code(c), UCHAR_GRAPHEME_CLUSTER_BREAK));
}

bool IsControl(UGraphemeClusterBreak kind) {
  return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF;
}

// Rules GB6 to GB8: a syllable of Hangul is not parted.
bool JoinsHangul(UGraphemeClusterBreak before, UGraphemeClusterBreak after) {
  switch (before) {
    case U_GCB_L:
      return after == U_GCB_L || after == U_GCB_V || after == U_GCB_LV || after == U_GCB_LVT;
    case U_GCB_LV:
    case U_GCB_V:
      return after == U_GCB_V || after == U_GCB_T;
    case U_GCB_LVT:
    case U_GCB_T:
      return after == U_GCB_T;
    default:
      return false;
  }
}

}  // namespace

char32_t CodePoint(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[i])); };
  const auto tail = [&](size_t i) { return byte(i) & 0x3F; };
  switch (CharacterLength(text[0])) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | tail(1);
    case 3:
      return (byte(0) & 0x0F) << 12 | tail(1) << 6 | tail(2);
    default:
      return (byte(0) & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3);
  }
}

void AppendUtf8(char32_t c, std::string& text) {
  const auto append = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return append(c);
  if (c < 0x800) {
    append(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    append(0xE0 | c >> 12);
    append(0x80 | (c >> 6 & 0x3F));
  } else {
    append(0xF0 | c >> 18);
    append(0x80 | (c >> 12 & 0x3F));
    append(0x80 | (c >> 6 & 0x3F));
  }
  append(0x80 | (c & 0x3F));
}

size_t FirstInvalidByte(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  for (size_t i = 0; i < text.size();) {
    uint64_t word;
    if (i + sizeof word <= text.size()) {
      std::memcpy(&word, text.data() + i, sizeof word);
      if ((word & kHighBits) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

bool IsWhiteSpace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(Code(c));
}

// Annex C of Unicode's UTS 18.
bool IsWordCharacter(char32_t c) {
  return u_isUAlphabetic(Code(c)) || u_hasBinaryProperty(Code(c), UCHAR_JOIN_CONTROL) ||
         (U_GET_GC_MASK(Code(c)) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

bool IsMark(char32_t c) {
  // Three characters have changed their category since.
  if (c == 0x1CF2 || c == 0x1CF3) return true;
  if (c == 0x111C9) return false;
  if ((U_GET_GC_MASK(Code(c)) & U_GC_M_MASK) == 0) return false;
  UVersionInfo version;
  u_charAge(Code(c), version);
  return version[0] <= kNormalizationVersion;
}

// The extended clusters of Unicode's UAX 29, without rule GB9c of version 15.1, which joins Indic
// letters into clusters of nine bytes and more: who asks here treats all above five alike.
size_t GraphemeLength(std::string_view text) {
  char32_t c = CodePoint(text);
  UGraphemeClusterBreak before = ClusterClass(c);
  bool pictograph = u_hasBinaryProperty(Code(c), UCHAR_EXTENDED_PICTOGRAPHIC);
  bool odd_indicators = before == U_GCB_REGIONAL_INDICATOR;
  size_t length = CharacterLength(text[0]);
  for (; length < text.size(); length += CharacterLength(text[length])) {
    c = CodePoint(text.substr(length));
    const UGraphemeClusterBreak after = ClusterClass(c);
    const bool after_pictograph = u_hasBinaryProperty(Code(c), UCHAR_EXTENDED_PICTOGRAPHIC);
    const bool extends = after == U_GCB_EXTEND || after == U_GCB_ZWJ;
    if (before == U_GCB_CR && after == U_GCB_LF) {
      // GB3
    } else if (IsControl(before) || IsControl(after)) {
      break;  // GB4, GB5
    } else if (!(JoinsHangul(before, after) || extends || after == U_GCB_SPACING_MARK ||
                 before == U_GCB_PREPEND ||
                 (pictograph && before == U_GCB_ZWJ && after_pictograph) ||
                 (odd_indicators && after == U_GCB_REGIONAL_INDICATOR))) {
      break;  // not GB6 to GB13
    }
    pictograph = after_pictograph || (pictograph && extends);
    odd_indicators = !odd_indicators && after == U_GCB_REGIONAL_INDICATOR;
    before = after;
  }
  return length;
}

std::string Normalize(std::string_view text, UnicodeForm form) {
  if (AllAscii(text)) return std::string(text);  // the same in every form
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = nullptr;
  switch (form) {
    case UnicodeForm::kNfc:
      normalizer = icu::Normalizer2::getNFCInstance(status);
      break;
    case UnicodeForm::kNfd:
      normalizer = icu::Normalizer2::getNFDInstance(status);
      break;
    case UnicodeForm::kNfkc:
      normalizer = icu::Normalizer2::getNFKCInstance(status);
      break;
    case UnicodeForm::kNfkd:
      normalizer = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  if (U_SUCCESS(status)) {
    icu::FilteredNormalizer2(*normalizer, NormalizedCharacters())
        .normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink,
                       nullptr, status);
  }
  VN_CHECK(U_SUCCESS(status), u_errorName(status));
  return result;
}

std::string Lowercase(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (size_t i = 0; i < text.size(); i += CharacterLength(text[i])) {
    const char32_t c = CodePoint(text.substr(i));
    if (c == 0x130) {
      lower += "i\u0307";  // the one letter whose lower case is two characters
    } else {
      AppendUtf8(static_cast<char32_t>(u_tolower(Code(c))), lower);
    }
  }
  return lower;
}

std::string BytePiece(uint8_t byte) { return fmt::format("<0x{:02X}>", byte); }

int ByteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  int byte = -1;
  const auto [end, error] = std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
  return error == std::errc() && end == piece.data() + 5 && byte >= 0 ? byte : -1;
}

}  // namespace vernier
