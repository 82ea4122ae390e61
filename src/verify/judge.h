// The verdict on a comparison: gates first, then whether the evidence carries it.
#pragma once

#include <string>
#include <vector>

#include "verify/comparison.h"
#include "verify/gates.h"

namespace vernier {

struct JudgeOptions {
  /// None: every value must be within its tolerance.
  std::vector<Gate> gates = {};
  std::string scope = "numerics";  // "task" wants trained weights and real inputs
  /// The same kernels on both sides are what is compared, as in a check against yesterday's run.
  bool same_kernels_expected = false;
};

/// Fills `gates` and `verdict` of the comparison. Throws Error{kUsage} as JudgeGate does.
void Judge(const JudgeOptions& options, Comparison& comparison);

}  // namespace vernier
