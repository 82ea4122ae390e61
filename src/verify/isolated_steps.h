// The steps of a running plan, each alone on the reference's values, so that what comes out holds
// the step's own error and nobody else's. A value that a pass made has no counterpart in the
// reference: the step that makes it runs on the reference's values too, and its result is handed
// on. One thread.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "runtime/context.h"
#include "runtime/plan.h"
#include "verify/boundary_values.h"

namespace vernier {

class IsolatedSteps {
 public:
  /// `states` are the isolated steps' own: what they append comes from the reference. Plan and
  /// states must outlive this.
  explicit IsolatedSteps(const Plan& plan, NamedStates states = {});

  /// The step whose own error a value shows: the one that computes it, or computes what it is a
  /// part of after fusion. -1 for inputs, for values inside a fused step, and for those that the
  /// model itself takes as a part of another one: they add nothing of their own.
  int StepOf(int value) const;
  /// The values of the original graph that a step reads, and those with StepOf that step.
  std::vector<int> Reads(int step) const;
  std::vector<int> Shows(int step) const;
  /// What the node of a value reads, for RunNode.
  std::vector<int> NodeReads(int value) const;

  /// Runs a step; to be called for each step in order. Empty where the reference lacks a value.
  std::map<int, Tensor> Run(int step, BoundaryValues& reference);

  /// The node of a value that no step computes: its reference kernel on the reference's values,
  /// with the weights and attributes of the plan's model. An empty tensor where the reference lacks
  /// one.
  std::optional<Tensor> RunNode(int value, BoundaryValues& reference) const;

 private:
  bool IsOriginal(int value) const;
  bool IsState(int value) const;
  const Tensor* MadeByPass(int value);
  Tensor Part(const NamedTensors& results, int step, int value) const;

  const Plan& plan_;
  const Graph& original_;
  const Graph& graph_;  // after passes
  NamedStates states_;
  Context context_;
  std::map<int, Tensor> made_;     // values that passes made, by id
  std::map<int, int> reads_left_;  // of those
};

}  // namespace vernier
