// Context: the working memory of one concurrent run (arena, scratch, operand table) and the
// executor. One thread at a time may run a context; different contexts may share programs and
// plans.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/plan.h"
#include "runtime/state.h"
#include "runtime/taps.h"
#include "vernier/tensor.h"

namespace vernier {

using NamedTensors = std::map<std::string, Tensor, std::less<>>;
using NamedViews = std::map<std::string, TensorView, std::less<>>;

struct RunOptions {
  TapSink* taps = nullptr;
  /// Read between steps; the run ends with Error{kInterrupted} once it is set.
  const std::atomic<bool>* cancel = nullptr;
  /// Values of runtime symbols, at most the capacities that the plan was bound with.
  Extents runtime_extents;
  /// States by name; each lives through the run.
  std::map<std::string, KvState*, std::less<>> states;
};

class Context {
 public:
  Context() = default;

  /// Runs the plan on `inputs` (by input name) and returns the outputs in f32 by output name.
  /// Throws Error{kInput} for a missing input or one of another shape or dtype.
  NamedTensors Run(const Plan& plan, const NamedViews& inputs, const RunOptions& options = {});

  /// Runs one step alone on the given operands (by the program's value names; weights are the
  /// plan's own) and returns its outputs in their storage type, converted to f32.
  NamedTensors RunStep(const Plan& plan, int step, const NamedViews& inputs);

  /// Bytes of the arena and scratch, grown to the largest plan that ran.
  size_t arena_bytes() const { return arena_.bytes(); }
  size_t scratch_bytes() const { return scratch_.bytes(); }

 private:
  void Reserve(const Plan& plan);

  Tensor arena_, scratch_;
};

}  // namespace vernier
