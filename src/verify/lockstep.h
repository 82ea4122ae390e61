// Two runs side by side, value by value, so that memory stays bounded by what a few layers hold:
// the candidate's plan runs as it always does, the reference keeps up, and each value is compared
// when it appears. Beside that accumulated error, every step of the candidate's plan runs once more
// on the reference's values, which shows the error that it adds itself.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/context.h"
#include "runtime/plan.h"
#include "verify/boundary_values.h"
#include "verify/comparison.h"

namespace vernier {

/// One run of one program on the candidate's side. What is pointed to must outlive the walk.
struct WalkedRun {
  const Plan* plan = nullptr;
  NamedViews inputs;
  NamedStates states;           // of the candidate's run
  NamedStates isolated_states;  // of the steps run alone: as many, kept apart
  std::string prefix = {};      // of the names, where a comparison has several runs
};

struct WalkOptions {
  Tolerances tolerances = {};
  bool divergence = true;  // kl wants the values a second time
  bool isolated = true;    // false: accumulated error alone
  /// Which values are compared, by name; empty: all.
  std::function<bool(const ValueInfo&)> wants = {};
  /// Called after each step of the candidate, for progress; may be empty.
  std::function<void(int done, int steps)> progress = {};
  const std::atomic<bool>* cancel = nullptr;
};

/// Makes the reference for the values that will be asked for, by id in the candidate's graph.
using MakeReference =
    std::function<std::unique_ptr<BoundaryValues>(const std::vector<bool>& wanted)>;

struct Walk {
  std::vector<TensorComparison> tensors;  // in the order of the model
  NamedTensors outputs;                   // of the candidate
  NamedTensors reference_outputs;         // those that the reference has or can compute
};

Walk WalkInLockstep(const WalkedRun& run, const MakeReference& reference,
                    const WalkOptions& options = {});

}  // namespace vernier
