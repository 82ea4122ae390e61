#include "core/unicode.h"

#include <unicode/ucasemap.h>
#include <unicode/uchar.h>

#include <limits>
#include <memory>

#include "core/check.h"
#include "core/utf8.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

char32_t Decode(std::string_view character) {
  constexpr unsigned kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = static_cast<unsigned char>(character[0]) & kLeadBits[character.size()];
  for (unsigned char byte : character.substr(1)) code = code << 6 | (byte & 0x3Fu);
  return code;
}

const UCaseMap* RootCaseMap() {
  static const std::unique_ptr<UCaseMap, decltype(&ucasemap_close)> map = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<UCaseMap, decltype(&ucasemap_close)> opened(ucasemap_open("", 0, &status),
                                                                &ucasemap_close);
    VN_CHECK(U_SUCCESS(status), "ICU has no root case map");
    return opened;
  }();
  return map.get();
}

}  // namespace

std::u32string CodePoints(std::string_view text) {
  std::u32string codes;
  codes.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at));
    codes += length == 0 ? kReplacement : Decode(text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  return codes;
}

std::string LowerCase(std::string_view text) {
  if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max() / 4)) {
    throw Error(ErrorKind::kInput, "a text of over 512 MiB is too long for its letters' case");
  }
  const auto length = static_cast<int32_t>(text.size());
  // Lower case rarely needs more bytes; ICU says how many when it does.
  std::string lower(text.size() + 16, '\0');
  UErrorCode status = U_ZERO_ERROR;
  const auto convert = [&] {
    status = U_ZERO_ERROR;
    return ucasemap_utf8ToLower(RootCaseMap(), lower.data(), static_cast<int32_t>(lower.size()),
                                text.data(), length, &status);
  };
  int32_t needed = convert();
  if (status == U_BUFFER_OVERFLOW_ERROR) {
    lower.resize(static_cast<size_t>(needed) + 1);
    needed = convert();
  }
  VN_CHECK(U_SUCCESS(status), "ICU cannot lower a text");
  lower.resize(static_cast<size_t>(needed));
  return lower;
}

bool IsSpace(char32_t code) {
  if (code <= 0x20) return code == 0x20 || (code >= 0x09 && code <= 0x0D) || code >= 0x1C;
  return code == 0x85 || u_isUWhiteSpace(static_cast<UChar32>(code));
}

bool IsPythonWord(char32_t code_point) {
  const auto code = static_cast<UChar32>(code_point);
  return code == U'_' || (U_GET_GC_MASK(code) & U_GC_L_MASK) != 0 ||
         u_getNumericValue(code) != U_NO_NUMERIC_VALUE;
}

int DecimalDigit(char32_t code) {
  return u_charType(static_cast<UChar32>(code)) == U_DECIMAL_DIGIT_NUMBER
             ? static_cast<int>(u_charDigitValue(static_cast<UChar32>(code)))
             : -1;
}

}  // namespace vernier
