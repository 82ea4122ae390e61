// Checks that need no reference: a run compared with itself under changes that must not matter. A
// result is the same to the bit where the kernels promise that, and within rounding elsewhere.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "metrics/verdict.h"
#include "vernier/session.h"

namespace vernier {

struct SelfRun {
  int threads = 0;    // 0: the setting's own
  bool cold = false;  // with a program and plan of its own, made for this run
};

/// Runs a model; what is to be checked.
using SelfRunner = std::function<NamedTensors(const NamedTensors& inputs, const SelfRun& how)>;

struct SelfCheckOptions {
  /// All kernels keep the order of their sums whatever the batch and the threads.
  bool bitwise = true;
  /// Allowed |difference| / |value|, by Euclidean norm, where they do not.
  double bound = 1e-5;
  int repeats = 50;
  std::vector<int> threads = {};  // counts to try beside the setting's own
  std::function<void(const std::string& check)> progress = {};
};

struct SelfCheck {
  std::string name;  // "identical rows"
  VerdictKind outcome = VerdictKind::kPassed;
  int runs = 0;
  double largest = 0;       // relative Euclidean difference
  std::string output = {};  // where that is
  std::string sentence;     // what was seen, or why it could not be checked
};

/// `inputs` hold one row or more. Checks that the inputs do not allow are inconclusive.
std::vector<SelfCheck> CheckAgainstItself(const SelfRunner& run, const NamedTensors& inputs,
                                          const SelfCheckOptions& options = {});

/// "kind": "self_checks"; docs/reference/self-checks.md.
std::string SelfChecksJson(const std::vector<SelfCheck>& checks,
                           const std::vector<std::string>& command);

}  // namespace vernier
