// Whether an answer is right: exact match, and ChartQA's relaxed accuracy. Pure functions.
#pragma once

#include <optional>
#include <string_view>

namespace vernier {

/// Equal, byte for byte.
bool ExactMatch(std::string_view reference, std::string_view candidate);

/// As the published script of ChartQA: numbers within 5 % of a reference that is not zero, a
/// trailing % dividing by 100; all else equal but for case, blanks kept.
bool RelaxedMatch(std::string_view reference, std::string_view candidate);

/// What Python's float() makes of a text, or nothing where it raises ValueError: white space
/// around, digits of any script, underscores between digits, exponents, "inf", "nan".
std::optional<double> ParsePythonFloat(std::string_view text);

}  // namespace vernier
