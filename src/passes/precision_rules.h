// Precision rules: which nodes compute at which numbers, by name. The last rule that matches wins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace vernier {

struct PrecisionRule {
  std::string pattern;  // glob over canonical names and aliases: '*' any run, '?' one character
  Precision precision;
};

using PrecisionRules = std::vector<PrecisionRule>;

/// True when `pattern` matches the whole of `text`.
bool GlobMatches(std::string_view pattern, std::string_view text);

/// Whether a node has a precision: it multiplies.
bool TakesPrecision(const Node& node);

/// Whether the rule names the node, by its name or an alias of a result.
bool Matches(const PrecisionRule& rule, const Graph& graph, const Node& node);

/// Rules of a preset: "f32" none; "bf16" weights, multiplies and the values between them in bf16,
/// while the residual stream, norm statistics, softmax and `keep_f32` nodes stay f32, and of
/// `f32_activations` nodes the weights alone are bf16; "int8" the same with linear layers' weights
/// in 8 bits. Throws Error{kUsage} for another name.
PrecisionRules PresetRules(std::string_view name, const std::vector<std::string>& keep_f32,
                           const std::vector<std::string>& f32_activations = {});

}  // namespace vernier
