// YAML 1.1's implicit types, as PyYAML resolves them.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "io/yaml.h"

namespace vernier {
namespace {

template <size_t kCount>
bool IsOneOf(std::string_view text, const std::array<std::string_view, kCount>& words) {
  return std::ranges::find(words, text) != words.end();
}

// In the three spellings that YAML allows: all small, all capital, the first capital.
constexpr std::array<std::string_view, 5> kNulls = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 9> kTrues = {"yes",  "Yes", "YES", "true", "True",
                                                    "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 9> kFalses = {"no",    "No",  "NO",  "false", "False",
                                                     "FALSE", "off", "Off", "OFF"};

template <typename Number>
std::optional<Number> WholeNumber(std::string_view digits, auto... format) {
  Number value{};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, format...);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> Integer(std::string_view text, bool negative) {
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with("0b")) {
    base = 2;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.starts_with("0")) {
    base = 8;
  }
  if (text.starts_with("-")) return std::nullopt;
  const std::optional<int64_t> value = WholeNumber<int64_t>(text, base);
  if (!value) return std::nullopt;
  return negative ? -*value : *value;
}

std::optional<double> Fraction(std::string_view text, bool negative) {
  const bool digits = text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
  if (!digits || text.starts_with("-") || text.starts_with("+")) return std::nullopt;
  const std::optional<double> value = WholeNumber<double>(text, std::chars_format::general);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return negative ? -*value : *value;
}

}  // namespace

Json YamlScalar(std::string_view text) {
  if (IsOneOf(text, kNulls)) return {};
  if (IsOneOf(text, kTrues)) return true;
  if (IsOneOf(text, kFalses)) return false;
  std::string digits(text);
  const bool negative = digits.starts_with("-");
  if (negative || digits.starts_with("+")) digits.erase(0, 1);
  const bool begins_as_number =
      !digits.empty() && (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'));
  if (!begins_as_number) return text;
  std::erase(digits, '_');
  if (const auto integer = Integer(digits, negative)) return *integer;
  // PyYAML leaves 1e-3, which has no point, a string; detectron2 then reads it as Python does.
  if (const auto fraction = Fraction(digits, negative)) return *fraction;
  return text;
}

}  // namespace vernier
