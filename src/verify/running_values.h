// A reference that runs: another program of the same model (another device, precision, instruction
// set), driven just far enough for the value that is asked for.
#pragma once

#include <map>
#include <memory>

#include "runtime/context.h"
#include "verify/boundary_values.h"

namespace vernier {

class RunningValues final : public BoundaryValues {
 public:
  /// `wanted` by value id of `candidate`, the original graph of the program that is compared; its
  /// values are found in the plan's model by name. Plan and inputs must outlive this.
  RunningValues(const Plan& plan, const NamedViews& inputs, const Graph& candidate,
                const std::vector<bool>& wanted, const NamedStates& states = {});
  ~RunningValues() override;

  bool Has(int value) const override;
  const Tensor& Get(int value) override;
  void Release(int value) override;
  void Finish() override;
  bool IsOwn(int value) const override { return Has(value); }
  std::vector<std::string> Since(int) const override { return {}; }

 private:
  class Sink;

  std::vector<int> own_ids_;                // by candidate value: the plan's, or kNoValue
  std::map<int, std::vector<int>> wanted_;  // by the plan's value: the candidate's
  std::map<int, Tensor> held_;              // by candidate value
  std::unique_ptr<Sink> sink_;
  Context context_;
  std::unique_ptr<SteppedRun> run_;
};

}  // namespace vernier
