#include "passes/precision_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/linear.h"
#include "vernier/error.h"

namespace vernier {

bool GlobMatches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool TakesPrecision(const Node& node) {
  return node.op == &kLinear || node.op == &kConv2d || node.op == &kAttention;
}

bool Matches(const PrecisionRule& rule, const Graph& graph, const Node& node) {
  if (GlobMatches(rule.pattern, node.name)) return true;
  return std::ranges::any_of(node.outputs, [&](int output) {
    return std::ranges::any_of(graph.value(output).aliases, [&](const std::string& alias) {
      return GlobMatches(rule.pattern, alias);
    });
  });
}

PrecisionRules PresetRules(std::string_view name, const std::vector<std::string>& keep_f32,
                           const std::vector<std::string>& f32_activations) {
  if (name == "f32") return {};
  if (name != "bf16" && name != "int8") {
    throw Error(ErrorKind::kUsage, fmt::format("unknown dtype '{}'", name),
                "use f32, bf16 or int8");
  }
  const DType weight = name == "int8" ? DType::kI8 : DType::kBF16;
  PrecisionRules rules = {{"*", {weight, DType::kBF16, DType::kBF16}}};
  for (const std::string& pattern : keep_f32) rules.push_back({pattern, {}});
  const Precision narrow_weights{weight, DType::kF32, DType::kF32};
  for (const std::string& pattern : f32_activations) rules.push_back({pattern, narrow_weights});
  return rules;
}

}  // namespace vernier
