// Unicode's character rules, by ICU, with the answers that Python gives: published text metrics and
// tokenizers are defined in its terms. Text is UTF-8; each byte that is not counts as U+FFFD.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace vernier {

/// The text's code points.
std::u32string CodePoints(std::string_view text);

/// As str.lower(): full mappings (İ becomes i and a combining dot), final sigma, no locale.
std::string LowerCase(std::string_view text);

/// As str.isspace() of one character.
bool IsSpace(char32_t code_point);

/// As \w of Python's re: letters, digits and other numbers of any script, and the underscore.
bool IsPythonWord(char32_t code_point);

/// 0 to 9 for a decimal digit of any script, as float() reads it; -1 for everything else.
int DecimalDigit(char32_t code_point);

}  // namespace vernier
