#include "verify/tolerance.h"

#include <algorithm>
#include <cmath>

#include "passes/precision_rules.h"

namespace vernier {

bool MatchesAny(const std::string& pattern, const std::string& name,
                const std::vector<std::string>& aliases) {
  return GlobMatches(pattern, name) || std::ranges::any_of(aliases, [&](const std::string& alias) {
           return GlobMatches(pattern, alias);
         });
}

const Tolerance& Tolerances::Of(const std::string& name,
                                const std::vector<std::string>& aliases) const {
  const Tolerance* found = &of_all;
  for (const ToleranceRule& rule : rules) {
    if (MatchesAny(rule.pattern, name, aliases)) found = &rule.tolerance;
  }
  return *found;
}

HeldMetrics HoldTo(const Tolerance& tolerance,
                   const std::function<TensorMetrics(const PairTolerance&)>& measure) {
  HeldMetrics held{.metrics = measure(tolerance.pair), .tolerance = tolerance.pair};
  TensorMetrics& metrics = held.metrics;
  if (!tolerance.atol_grows || metrics.finite_pairs == 0) return held;
  const double root_mean_square =
      metrics.reference_norm / std::sqrt(static_cast<double>(metrics.finite_pairs));
  if (!(root_mean_square > 1)) return held;
  held.tolerance.atol *= root_mean_square;
  if (metrics.needed_atol <= held.tolerance.atol) {
    metrics.within = 1;
  } else {
    metrics.within = measure(held.tolerance).within;
  }
  return held;
}

}  // namespace vernier
