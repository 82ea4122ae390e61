// TapReader: reads wanted values out of a running plan without disturbing it. Exact and view taps
// are copied right after their step; recomputed ones are evaluated by reference kernels on copies.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "runtime/plan.h"
#include "runtime/taps.h"

namespace vernier {

class TapReader {
 public:
  /// Resolves an operand of the plan to its bytes in the running context.
  using Locate = std::function<TensorArg(const Operand&)>;

  TapReader(const Plan& plan, TapSink& sink, Locate locate);

  /// Call once before the first step, and after each step (by index in the plan).
  void BeforeRun();
  void AfterStep(int step);

 private:
  void Want(int value, bool deliver);
  void Capture(int value);
  void Store(int value, Tensor tensor, TapKind kind, const KernelInfo& kernel);
  void Recompute(int node_index);
  void Forget(int value);

  const Plan& plan_;
  const Graph& original_;
  TapSink& sink_;
  Locate locate_;
  std::vector<char> wanted_;     // by original value: to be captured or recomputed
  std::vector<char> delivered_;  // by original value: the sink asked for it
  std::map<int, std::vector<int>> captures_by_step_;
  std::map<int, int> missing_;               // recomputed node index -> operands not yet there
  std::map<int, std::vector<int>> readers_;  // value -> recomputed node indices that read it
  std::map<int, int> uses_left_;             // value -> recomputations that still need its copy
  std::map<int, Tensor> copies_;
};

}  // namespace vernier
