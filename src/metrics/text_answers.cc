#include "metrics/text_answers.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "core/unicode.h"

namespace vernier {
namespace {

constexpr double kRelaxedTolerance = 0.05;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::u32string_view Stripped(std::u32string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

// Digits of all scripts as ASCII, other ASCII in lower case; nothing for characters that no number
// has.
std::optional<std::string> AsciiNumber(std::u32string_view text) {
  std::string ascii;
  for (char32_t code : text) {
    const int digit = DecimalDigit(code);
    if (digit < 0 && code >= 0x80) return std::nullopt;
    const char c = digit >= 0 ? static_cast<char>('0' + digit) : static_cast<char>(code);
    ascii += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return ascii;
}

// Python allows one underscore between two digits and nowhere else.
std::optional<std::string> WithoutUnderscores(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || i + 1 == text.size() || !IsDigit(text[i - 1]) || !IsDigit(text[i + 1])) {
      return std::nullopt;
    }
  }
  return plain;
}

// A number beyond double's range: zero when it is too small, infinity when it is too large.
double OutOfRange(std::string_view digits) {
  const size_t e = digits.find('e');
  const std::string_view mantissa = digits.substr(0, e);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  const size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return 0;
  // Tens of the leading digit: positions before the point count up, those behind it down.
  double tens =
      first < point ? static_cast<double>(point - first) - 1 : -static_cast<double>(first - point);
  if (e != std::string_view::npos) {
    std::string_view text = digits.substr(e + 1);
    if (text.front() == '+') text.remove_prefix(1);
    double exponent = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), exponent, std::chars_format::fixed);
    const double beyond = std::numeric_limits<double>::infinity();
    tens += error == std::errc() ? exponent : text.front() == '-' ? -beyond : beyond;
  }
  return tens > 0 ? std::numeric_limits<double>::infinity() : 0;
}

std::optional<double> ParseUnsigned(std::string_view text) {
  if (text == "inf" || text == "infinity") return std::numeric_limits<double>::infinity();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  // from_chars also takes "-1", "nan(…)" and words, which must not follow a sign here.
  if (text.empty() || (!IsDigit(text[0]) && text[0] != '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  return error == std::errc::result_out_of_range ? OutOfRange(text) : value;
}

std::optional<double> ParseAnswer(std::string_view text) {
  if (!text.ends_with('%')) return ParsePythonFloat(text);
  while (text.ends_with('%')) text.remove_suffix(1);
  const std::optional<double> percent = ParsePythonFloat(text);
  return percent ? std::optional(*percent / 100.0) : std::nullopt;
}

}  // namespace

std::optional<double> ParsePythonFloat(std::string_view text) {
  const std::u32string codes = CodePoints(text);
  const std::optional<std::string> ascii = AsciiNumber(Stripped(codes));
  const std::optional<std::string> plain = ascii ? WithoutUnderscores(*ascii) : std::nullopt;
  if (!plain) return std::nullopt;
  const bool has_sign = plain->starts_with('-') || plain->starts_with('+');
  const std::optional<double> value = ParseUnsigned(std::string_view(*plain).substr(has_sign));
  return value && plain->starts_with('-') ? std::optional(-*value) : value;
}

bool ExactMatch(std::string_view reference, std::string_view candidate) {
  return reference == candidate;
}

bool RelaxedMatch(std::string_view reference, std::string_view candidate) {
  const std::optional<double> expected = ParseAnswer(reference);
  const std::optional<double> found = ParseAnswer(candidate);
  if (found && expected && *expected != 0) {
    return std::abs(*found - *expected) / std::abs(*expected) <= kRelaxedTolerance;
  }
  return LowerCase(candidate) == LowerCase(reference);
}

}  // namespace vernier
