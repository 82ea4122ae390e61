#include "verify/bisect.h"

#include <algorithm>
#include <map>

#include "graph/graph.h"
#include "passes/pass.h"
#include "verify/own_error.h"
#include "verify/setting_comparison.h"

namespace vernier {
namespace {

using Names = std::vector<std::string>;

// `passes` with a memory.
class Tester {
 public:
  explicit Tester(const std::function<bool(const Names&)>& passes) : passes_(passes) {}

  bool operator()(const Names& kept) {
    Names key = kept;
    std::ranges::sort(key);
    const auto [place, is_new] = known_.try_emplace(std::move(key), false);
    if (is_new) place->second = passes_(kept);
    return place->second;
  }

 private:
  const std::function<bool(const Names&)>& passes_;
  std::map<Names, bool> known_;
};

// The front of the ranking, doubled until it passes.
Names FirstPassing(const Names& ranked, Tester& passes) {
  for (size_t count = 0; count < ranked.size(); count = std::max<size_t>(1, 2 * count)) {
    const Names front(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count));
    if (passes(front)) return front;
  }
  return ranked;
}

Names Without(const Names& names, size_t begin, size_t end) {
  Names rest(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(begin));
  rest.insert(rest.end(), names.begin() + static_cast<std::ptrdiff_t>(end), names.end());
  return rest;
}

// A part of the set that can be left out, the least likely first; the whole set where none can.
Names WithoutOnePart(const Names& kept, size_t part, Tester& passes) {
  for (size_t end = kept.size(); end > 0; end -= std::min(end, part)) {
    Names rest = Without(kept, end - std::min(end, part), end);
    if (passes(rest)) return rest;
  }
  return kept;
}

// The nodes that the rules compute in fewer bits, with the error that each adds for its cost.
Names RankNodes(const std::vector<WalkedPart>& parts, const PrecisionRules& rules,
                const Comparison& comparison) {
  std::map<std::string, double> own;  // by tensor
  for (const TensorComparison& tensor : comparison.tensors) own[tensor.name] = OwnErrorOf(tensor);
  for (const TensorComparison& tensor : comparison.tensors) {
    // A node inside a fused step answers for the step.
    if (!tensor.own || tensor.own->inside.empty()) continue;
    own[tensor.name] = std::max(own[tensor.name], own[tensor.own->inside]);
  }
  std::vector<std::pair<double, std::string>> ranked;
  for (const auto& [graph, extents] : parts) {
    for (const Node& node : graph->nodes()) {
      if (!TakesPrecision(node)) continue;
      Precision precision;
      for (const PrecisionRule& rule : rules) {
        if (Matches(rule, *graph, node)) precision = rule.precision;
      }
      if (precision == Precision{}) continue;
      const auto cost = static_cast<double>(graph->Flops(node).Evaluate(extents));
      ranked.emplace_back(own[node.name] / std::max(cost, 1.0), node.name);
    }
  }
  std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) { return a.first > b.first; });
  Names names;
  for (auto& [score, name] : ranked) names.push_back(std::move(name));
  return names;
}

PrecisionRules KeepInF32(const Names& names) {
  PrecisionRules rules;
  for (const std::string& name : names) rules.push_back({name, {}});
  return rules;
}

}  // namespace

Names SmallestPassing(const Names& ranked, const std::function<bool(const Names&)>& test) {
  Tester passes(test);
  Names kept = FirstPassing(ranked, passes);
  for (size_t part = (kept.size() + 1) / 2; part > 0 && !kept.empty();) {
    Names fewer = WithoutOnePart(kept, part, passes);
    const bool shrunk = fewer.size() < kept.size();
    kept = std::move(fewer);
    if (!shrunk) part = part == 1 ? 0 : (part + 1) / 2;
    part = std::min(part, kept.size());
  }
  return kept;
}

Bisection Bisect(SettingComparer& comparer, const std::function<void(Comparison&)>& judge) {
  const PrecisionRules& base = comparer.candidate().rules();
  Bisection found;
  const auto passes = [&](const Names& kept) {
    PrecisionRules rules = base;
    const PrecisionRules more = KeepInF32(kept);
    rules.insert(rules.end(), more.begin(), more.end());
    Comparison comparison = comparer.RunWith(rules);
    judge(comparison);
    const bool passed = comparison.verdict.kind == VerdictKind::kPassed;
    found.trials.push_back({.kept = kept.size(), .passed = passed});
    return passed;
  };
  Comparison as_it_is = comparer.Run();
  judge(as_it_is);
  found.passed_before = as_it_is.verdict.kind == VerdictKind::kPassed;
  if (found.passed_before) {
    found.comparison = std::move(as_it_is);
    return found;
  }
  const Names ranked = RankNodes(comparer.parts(), base, as_it_is);
  found.candidates = ranked.size();
  if (!ranked.empty() && passes(ranked)) {
    found.found = true;
    found.kept = SmallestPassing(ranked, passes);
    found.rules = KeepInF32(found.kept);
    PrecisionRules rules = base;
    rules.insert(rules.end(), found.rules.begin(), found.rules.end());
    found.comparison = comparer.RunWith(rules);
    judge(found.comparison);
  } else {
    found.comparison = std::move(as_it_is);
  }
  return found;
}

}  // namespace vernier
