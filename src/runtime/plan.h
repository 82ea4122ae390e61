// Plan: a program bound to extents: numbers, arena offsets and kernel objects, no working memory.
// Immutable and shared by threads. A plan borrows its program, which must outlive it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "runtime/program.h"
#include "runtime/schedule.h"

namespace vernier {

enum class Place { kAbsent, kInput, kArena, kHeld, kState };

/// Where an operand's bytes are, looked up in a context's table at run time.
struct Operand {
  Place place = Place::kAbsent;
  size_t index = 0;   // input or state number; unused for the arena
  size_t offset = 0;  // bytes from the base
  TensorArg arg;      // extents, storage type and stride; data is set for constants only
  int value = kNoValue;
  bool runtime_extent = false;  // a dimension holds a runtime symbol: evaluated again each run
};

struct Step {
  int node = 0;  // index in the program graph's nodes
  std::unique_ptr<Kernel> kernel;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
  int threads = 1;
  int lane = 0;
  std::vector<int> waits;  // steps of other lanes of its phase that must be finished
};

/// Steps that run on lanes side by side; the phase before is finished by then.
struct Phase {
  size_t begin = 0, end = 0;      // indices in Plan::steps()
  std::vector<int> lane_threads;  // one entry per lane
  size_t lane_scratch_bytes = 0;

  int lanes() const { return static_cast<int>(lane_threads.size()); }
};

class Plan {
 public:
  Plan(const Program& program, Extents extents);

  const Program& program() const { return program_; }
  const Extents& extents() const { return extents_; }
  const std::vector<Step>& steps() const { return steps_; }
  /// Between them they have all steps, in order.
  const std::vector<Phase>& phases() const { return phases_; }
  /// The most lanes that run side by side.
  int lanes() const;
  size_t arena_bytes() const { return arena_bytes_; }
  size_t scratch_bytes() const { return scratch_bytes_; }  // of all lanes
  /// Bytes of the folded constants.
  size_t held_bytes() const { return held_bytes_; }

  /// Where a program value's bytes are; kAbsent for values that no step computes.
  const Operand& operand(int value) const { return operands_[static_cast<size_t>(value)]; }
  /// The step that computes a value, -1 for inputs, constants and views of them.
  int step_of(int value) const { return step_of_[static_cast<size_t>(value)]; }
  /// Input values in the order of Operand::index, and state values likewise.
  const std::vector<int>& inputs() const { return inputs_; }
  const std::vector<int>& states() const { return states_; }

  /// Extents of a value under the bound symbols.
  Shape Extent(const ValueType& type) const;
  /// A text that names kernels, operands and placement, and so the same run exactly.
  std::string Fingerprint() const;

 private:
  struct Layout;
  Schedule MakeSchedule() const;
  double CostOf(const Node& node) const;
  void PlaceInputs();
  void Fold(const Program::PreparedStep& prepared);
  bool BindView(const Node& node);
  void BindStep(const Program::PreparedStep& prepared, int lane, int threads);
  void AssignScratch();
  void AssignWaits();
  std::vector<std::vector<int>> Predecessors() const;
  void AssignArena();
  int OverwrittenValue(const Step& step) const;
  void ResolveOperands();

  const Program& program_;
  Extents extents_;
  std::vector<Operand> operands_;  // by value
  std::vector<int> base_of_;       // by value: the value whose bytes it views, or itself
  std::vector<int> step_of_;       // by value
  std::vector<std::shared_ptr<const Tensor>> constants_;
  std::vector<Step> steps_;
  std::vector<int> inputs_;
  std::vector<int> states_;
  std::vector<Phase> phases_;
  size_t arena_bytes_ = 0;
  size_t scratch_bytes_ = 0;
  size_t held_bytes_ = 0;
};

}  // namespace vernier
