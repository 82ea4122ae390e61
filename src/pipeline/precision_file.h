// A precision file: which nodes compute at which numbers, one rule a line, "GLOB PRECISION", the
// last match wins; docs/reference/precision-file.md. Read by run, bench and compare, written by
// compare --bisect.
#pragma once

#include <span>
#include <string>

#include "graph/graph.h"
#include "passes/precision_rules.h"

namespace vernier {

/// "f32", "bf16", "bf16-weights", "int8", "int8-weights"; empty for a precision that files have no
/// word for.
std::string PrecisionName(const Precision& precision);

/// Throws Error{kInput} naming the line that cannot be read.
PrecisionRules ReadPrecisionFile(const std::string& path);

/// Throws Error{kInput} for a rule that names no node of a model's graphs that multiplies, with the
/// nearest name that does. `path` is for the message.
void CheckPrecisionRules(const PrecisionRules& rules, std::span<const Graph* const> graphs,
                         const std::string& path);

/// The file's text; `comment` goes before the rules, each line behind a #.
std::string PrecisionFileText(const PrecisionRules& rules, const std::string& comment);

}  // namespace vernier
