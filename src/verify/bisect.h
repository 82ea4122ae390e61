// The smallest set of nodes that must stay in f32 for a failing setting to pass: delta debugging
// (Zeller & Hildebrandt 2002) over the nodes that the setting computes in fewer bits, tried in the
// order of the error that each adds for its cost.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "passes/precision_rules.h"
#include "verify/comparison.h"

namespace vernier {

class SettingComparer;

/// One set that was tried.
struct BisectTrial {
  size_t kept = 0;  // nodes in f32
  bool passed = false;
};

/// Of `ranked` (most likely first) a set that passes and of which no single name can be left out.
/// The whole of `ranked` must pass. `passes` is asked once for each different set.
std::vector<std::string> SmallestPassing(
    const std::vector<std::string>& ranked,
    const std::function<bool(const std::vector<std::string>& kept)>& passes);

struct Bisection {
  bool passed_before = false;  // the setting passes as it is: nothing to look for
  bool found = false;          // false: f32 throughout does not pass either
  std::vector<std::string> kept;
  PrecisionRules rules;  // of the precision file: the kept nodes in f32
  size_t candidates = 0;
  std::vector<BisectTrial> trials;
  Comparison comparison;  // of the setting with the rules
};

/// `judge` fills in the verdict.
Bisection Bisect(SettingComparer& comparer, const std::function<void(Comparison&)>& judge);

}  // namespace vernier
