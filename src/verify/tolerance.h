// What `within` allows, |x - r| <= atol + rtol |r|, and whose tolerance counts for which tensor.
//
// What is left of a sum whose terms cancel carries the rounding of the terms, however small it is
// itself. How large the terms were, the tensor's other values tell: unless somebody says otherwise,
// atol counts in units of the reference's root mean square where that is above 1. The root mean
// square, because one large value among thousands does not move it, as it does the maximum.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "metrics/tensor_metrics.h"

namespace vernier {

struct Tolerance {
  PairTolerance pair = {1e-5, 1e-3};
  bool atol_grows = true;  // with the reference's root mean square
};

/// Another tolerance for the tensors whose name or alias a glob matches.
struct ToleranceRule {
  std::string pattern;
  Tolerance tolerance;
};

struct Tolerances {
  Tolerance of_all = {};
  std::vector<ToleranceRule> rules = {};  // the last match wins

  const Tolerance& Of(const std::string& name, const std::vector<std::string>& aliases) const;
};

bool MatchesAny(const std::string& pattern, const std::string& name,
                const std::vector<std::string>& aliases);

struct HeldMetrics {
  TensorMetrics metrics;
  PairTolerance tolerance;  // that `within` was counted with
};

/// Figures by `measure`, which is called again where values miss the tolerance and the tensor's
/// size allows more.
HeldMetrics HoldTo(const Tolerance& tolerance,
                   const std::function<TensorMetrics(const PairTolerance&)>& measure);

}  // namespace vernier
