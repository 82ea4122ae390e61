// Context: the working memory of one concurrent run (arena, scratch, operand table) and the
// executor. One thread at a time may run a context; different contexts may share programs and
// plans.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/kv_view.h"
#include "runtime/plan.h"
#include "runtime/taps.h"
#include "vernier/tensor.h"

namespace vernier {

using NamedTensors = std::map<std::string, Tensor, std::less<>>;
using NamedViews = std::map<std::string, TensorView, std::less<>>;
using NamedStates = std::map<std::string, KvView*, std::less<>>;

/// When a step of a plan ran, in microseconds from the start of the run.
struct StepTime {
  double start_us = 0;
  double end_us = 0;
};

struct RunOptions {
  TapSink* taps = nullptr;
  /// Becomes one entry per step of the plan, by step index; null: no clock is read. Which steps run
  /// where and when does not depend on it.
  std::vector<StepTime>* step_times = nullptr;
  /// Read between steps; the run ends with Error{kInterrupted} once it is set.
  const std::atomic<bool>* cancel = nullptr;
  /// Values of runtime symbols, at most the capacities that the plan was bound with.
  Extents runtime_extents;
  /// States by name; each lives through the run.
  NamedStates states;
};

class Context {
 public:
  Context() = default;

  /// Runs the plan on `inputs` (by input name) and returns the outputs in f32 by output name.
  /// Throws Error{kInput} for a missing input or one of another shape or dtype.
  NamedTensors Run(const Plan& plan, const NamedViews& inputs, const RunOptions& options = {});

  /// Runs one step alone on the given operands (by the program's value names; weights are the
  /// plan's own) and returns its outputs in their storage type, converted to f32. An operand may be
  /// given in f32 whatever its storage type: it is rounded to nearest, and laid out as in the plan.
  NamedTensors RunStep(const Plan& plan, int step, const NamedViews& inputs,
                       const NamedStates& states = {});

  /// Bytes of the arena and scratch, grown to the largest plan that ran.
  size_t arena_bytes() const { return arena_.bytes(); }
  size_t scratch_bytes() const { return scratch_.bytes(); }

 private:
  friend class SteppedRun;
  friend class RepeatedRun;
  void Reserve(const Plan& plan);
  void ReserveScratch(const Plan& plan);

  Tensor arena_, scratch_;
};

/// A run that its caller drives step by step: the plan's steps in their order, on the caller's
/// thread whatever the plan's lanes, with the results of Context::Run. It uses its context's
/// memory; context, plan, inputs and taps must outlive it.
class SteppedRun {
 public:
  SteppedRun(Context& context, const Plan& plan, const NamedViews& inputs, RunOptions options);
  ~SteppedRun();
  SteppedRun(const SteppedRun&) = delete;
  SteppedRun& operator=(const SteppedRun&) = delete;

  /// Runs the next step; false when none was left.
  bool Advance();
  /// What Context::Run returns; call it when all steps have run.
  NamedTensors Outputs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One plan, run again and again on inputs and states in fixed places: nothing is looked up, and
/// nothing allocated. No other run may use the context meanwhile; context, inputs and states must
/// outlive it.
class RepeatedRun {
 public:
  RepeatedRun(Context& context, std::shared_ptr<const Plan> plan, const NamedViews& inputs,
              RunOptions options);
  ~RepeatedRun();
  RepeatedRun(const RepeatedRun&) = delete;
  RepeatedRun& operator=(const RepeatedRun&) = delete;

  /// Runs on what the inputs hold now, with these values of runtime symbols.
  void Run(const Extents& runtime_extents);
  /// A dense f32 output where it lies; the next run overwrites it, and the caller may.
  std::span<float> Output(std::string_view name);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vernier
