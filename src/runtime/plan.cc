#include "runtime/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "core/parallel.h"
#include "core/rounding.h"
#include "ops/shape_ops.h"
#include "runtime/arena.h"

namespace vernier {
namespace {

bool HasRuntimeExtent(const ValueType& type) {
  return std::ranges::any_of(type.shape, [](const Dim& dim) { return dim.HasRuntimeSymbol(); });
}

constexpr size_t kAlignment = 64;

size_t Aligned(size_t bytes) { return RoundUp(bytes, kAlignment); }

// Whether a slice or reshape leaves each row of its input a row, whatever the number of rows.
bool KeepsRows(const Graph& graph, const Node& node) {
  const ValueType& in = graph.value(node.inputs[0]).type;
  const ValueType& out = graph.value(node.outputs[0]).type;
  if (in.rank() == 0 || out.rank() == 0) return false;
  if (in.dim(-1).HasRuntimeSymbol() || out.dim(-1).HasRuntimeSymbol()) return false;
  if (node.op == &kReshape) return in.dim(-1) == out.dim(-1);
  const int axis = node.attributes.get<Slice>().axis;
  return axis == -1 || axis == in.rank() - 1;
}

}  // namespace

Plan::Plan(const Program& program, Extents extents)
    : program_(program), extents_(std::move(extents)) {
  const size_t values = program.graph().values().size();
  operands_.resize(values);
  base_of_.resize(values);
  for (size_t i = 0; i < values; ++i) base_of_[i] = static_cast<int>(i);
  step_of_.assign(values, -1);
  PlaceInputs();
  const Schedule schedule = MakeSchedule();
  for (const auto& lane_threads : schedule.lane_threads) {
    phases_.push_back({.lane_threads = lane_threads});
  }
  for (int index : schedule.order) {
    const auto& prepared = program.steps()[static_cast<size_t>(index)];
    const StepPlace place = schedule.places[static_cast<size_t>(index)];
    Phase& phase = phases_[static_cast<size_t>(place.phase)];
    if (prepared.folded) {
      Fold(prepared);
    } else if (!BindView(program.graph().nodes()[static_cast<size_t>(prepared.node)])) {
      if (phase.begin == phase.end) phase.begin = steps_.size();
      BindStep(prepared, place.lane, phase.lane_threads[static_cast<size_t>(place.lane)]);
      phase.end = steps_.size();
    }
  }
  std::erase_if(phases_, [](const Phase& phase) { return phase.begin == phase.end; });
  AssignScratch();
  AssignWaits();
  AssignArena();
  ResolveOperands();
}

Shape Plan::Extent(const ValueType& type) const {
  std::vector<int64_t> dims;
  for (const Dim& dim : type.shape) dims.push_back(dim.Evaluate(extents_));
  return Shape(std::span<const int64_t>(dims));
}

void Plan::PlaceInputs() {
  const Graph& graph = program_.graph();
  for (size_t i = 0; i < graph.values().size(); ++i) {
    const ValueInfo& info = graph.values()[i];
    if (info.kind != ValueKind::kInput && info.kind != ValueKind::kState) continue;
    Operand& operand = operands_[i];
    auto& list = info.kind == ValueKind::kInput ? inputs_ : states_;
    operand.place = info.kind == ValueKind::kInput ? Place::kInput : Place::kState;
    operand.index = list.size();
    operand.arg = TensorArg::Of({nullptr, info.type.dtype, Extent(info.type)});
    operand.value = static_cast<int>(i);
    operand.runtime_extent = HasRuntimeExtent(info.type);
    list.push_back(static_cast<int>(i));
  }
}

// The operand of a node's input as known so far; weights are placed here.
void Plan::Fold(const Program::PreparedStep& prepared) {
  const Graph& graph = program_.graph();
  const Node& node = graph.nodes()[static_cast<size_t>(prepared.node)];
  std::vector<TensorArg> inputs, outputs;
  for (int input : node.inputs) {
    if (input == kNoValue) {
      inputs.emplace_back();
    } else if (graph.value(input).kind == ValueKind::kWeight) {
      inputs.push_back(TensorArg::Of(
          {program_.Float32Weight(input), DType::kF32, Extent(graph.value(input).type)}));
    } else {
      inputs.push_back(operands_[static_cast<size_t>(input)].arg);
    }
  }
  for (int output : node.outputs) {
    auto tensor = std::make_shared<Tensor>(DType::kF32, Extent(graph.value(output).type));
    Operand& operand = operands_[static_cast<size_t>(output)];
    operand.place = Place::kHeld;
    operand.arg = TensorArg::Of(tensor->view());
    operand.value = output;
    outputs.push_back(operand.arg);
    held_bytes_ += tensor->bytes();
    constants_.push_back(std::move(tensor));
  }
  const auto kernel = prepared.prepared->Bind({inputs, outputs, extents_, program_.threads()});
  kernel->Run({.inputs = inputs, .outputs = outputs, .threads = program_.threads()});
}

// A slice or reshape whose result is rows of its input's bytes needs no step.
bool Plan::BindView(const Node& node) {
  if (node.op != &kSlice && node.op != &kReshape) return false;
  const Graph& graph = program_.graph();
  const Operand& from = operands_[static_cast<size_t>(node.inputs[0])];
  VN_CHECK(!from.arg.channels_last(), node.name);
  const int output = node.outputs[0];
  const Shape shape = Extent(graph.value(output).type);
  Operand view = from;
  view.arg.shape = shape;
  view.value = output;
  view.runtime_extent = HasRuntimeExtent(graph.value(output).type);
  // Rows in use may vary under a view that keeps rows as rows.
  const bool varies = view.runtime_extent || from.runtime_extent;
  if (varies && !KeepsRows(graph, node)) return false;
  const size_t element = ByteSize(from.arg.dtype);
  if (node.op == &kReshape) {
    const bool same_rows = shape.rank() > 0 && shape[-1] == from.arg.columns();
    if (!same_rows && !from.arg.dense()) return false;
    if (!same_rows) view.arg.row_stride = view.arg.columns();
  } else {
    const auto& slice = node.attributes.get<Slice>();
    const int rank = from.arg.shape.rank();
    const int axis = slice.axis < 0 ? slice.axis + rank : slice.axis;
    const int64_t begin = slice.begin.Evaluate(extents_);
    VN_CHECK(begin >= 0 && begin + shape[axis] <= from.arg.shape[axis], node.name);
    int64_t rows_per_index = 1;  // rows of the input per step along the axis
    for (int i = axis + 1; i < rank - 1; ++i) rows_per_index *= from.arg.shape[i];
    int64_t outer = 1;
    for (int i = 0; i < axis; ++i) outer *= from.arg.shape[i];
    if (axis == rank - 1) {
      view.offset += static_cast<size_t>(begin) * element;
    } else {
      const bool one_row = shape[axis] * rows_per_index == 1;
      if (outer != 1 && !one_row) return false;
      view.offset += static_cast<size_t>(begin * rows_per_index * from.arg.row_stride) * element;
      if (outer != 1) view.arg.row_stride = from.arg.row_stride * from.arg.shape[axis];
    }
  }
  operands_[static_cast<size_t>(output)] = view;
  base_of_[static_cast<size_t>(output)] = base_of_[static_cast<size_t>(node.inputs[0])];
  step_of_[static_cast<size_t>(output)] = step_of_[static_cast<size_t>(node.inputs[0])];
  return true;
}

void Plan::BindStep(const Program::PreparedStep& prepared, int lane, int threads) {
  const Graph& graph = program_.graph();
  const Node& node = graph.nodes()[static_cast<size_t>(prepared.node)];
  const std::vector<int> owned = prepared.prepared->owned_inputs();
  Step step;
  step.node = prepared.node;
  step.lane = lane;
  step.threads = threads;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const int input = node.inputs[i];
    Operand operand;
    if (input != kNoValue && graph.value(input).kind == ValueKind::kWeight) {
      const bool is_owned = std::ranges::count(owned, static_cast<int>(i)) > 0;
      const float* data = is_owned ? nullptr : program_.Float32Weight(input);
      operand.place = is_owned ? Place::kAbsent : Place::kHeld;
      operand.arg = TensorArg::Of({data, DType::kF32, Extent(graph.value(input).type)});
      operand.value = input;
    } else if (input != kNoValue) {
      operand = operands_[static_cast<size_t>(input)];
    }
    step.inputs.push_back(operand);
  }
  for (int output : node.outputs) {
    const ValueInfo& info = graph.value(output);
    Operand& operand = operands_[static_cast<size_t>(output)];
    const bool state = node.inputs.size() > 0 && node.inputs[0] != kNoValue &&
                       operands_[static_cast<size_t>(node.inputs[0])].place == Place::kState &&
                       node.op->writes_state;
    if (state) {
      operand = operands_[static_cast<size_t>(node.inputs[0])];
    } else {
      operand.place = Place::kArena;
      operand.arg = TensorArg::Of({nullptr, info.type.dtype, Extent(info.type)}, info.layout);
      operand.runtime_extent = HasRuntimeExtent(info.type);
    }
    operand.value = output;
    step_of_[static_cast<size_t>(output)] = static_cast<int>(steps_.size());
    step.outputs.push_back(operand);
  }
  std::vector<TensorArg> inputs, outputs;
  for (const Operand& operand : step.inputs) inputs.push_back(operand.arg);
  for (const Operand& operand : step.outputs) outputs.push_back(operand.arg);
  step.kernel = prepared.prepared->Bind({inputs, outputs, extents_, threads});
  steps_.push_back(std::move(step));
}

// Steps of the program as the schedule sees them. A state is read and written in the order of the
// steps.
Schedule Plan::MakeSchedule() const {
  const auto& prepared = program_.steps();
  if (!program_.parallel_branches()) {
    return SerialSchedule(static_cast<int>(prepared.size()), program_.threads());
  }
  const Graph& graph = program_.graph();
  std::vector<int> producer(graph.values().size(), -1);
  std::vector<int> state_of(graph.values().size(), kNoValue);
  std::vector<int> last_touch(graph.values().size(), -1);  // by state
  for (int state : states_) state_of[static_cast<size_t>(state)] = state;
  std::vector<StepToPlace> steps;
  for (const auto& step : prepared) {
    const Node& node = graph.nodes()[static_cast<size_t>(step.node)];
    const int index = static_cast<int>(steps.size());
    StepToPlace& to_place = steps.emplace_back();
    if (!step.folded) {
      to_place.branch = node.branch;
      to_place.cost = CostOf(node);
    }
    for (int input : node.inputs) {
      if (input == kNoValue) continue;
      const auto at = static_cast<size_t>(input);
      if (producer[at] >= 0) to_place.predecessors.push_back(producer[at]);
      if (state_of[at] == kNoValue) continue;
      int& last = last_touch[static_cast<size_t>(state_of[at])];
      if (last >= 0) to_place.predecessors.push_back(last);
      last = index;
    }
    for (int output : node.outputs) {
      producer[static_cast<size_t>(output)] = index;
      if (node.op->writes_state) {
        state_of[static_cast<size_t>(output)] = state_of[static_cast<size_t>(node.inputs[0])];
      }
    }
  }
  return ParallelSchedule(steps, program_.threads());
}

// What a step costs against the others: its products, and what storing results takes meanwhile.
double Plan::CostOf(const Node& node) const {
  constexpr double kFlopsPerElement = 32;  // of a core that moves 16 GB/s and computes 128 GFLOP/s
  double cost = static_cast<double>(program_.graph().Flops(node).Evaluate(extents_));
  for (int output : node.outputs) {
    const Shape shape = Extent(program_.graph().value(output).type);
    cost += kFlopsPerElement * static_cast<double>(shape.elements());
  }
  return cost;
}

int Plan::lanes() const {
  int most = 1;
  for (const Phase& phase : phases_) most = std::max(most, phase.lanes());
  return most;
}

void Plan::AssignScratch() {
  for (Phase& phase : phases_) {
    for (size_t i = phase.begin; i < phase.end; ++i) {
      phase.lane_scratch_bytes =
          std::max(phase.lane_scratch_bytes, Aligned(steps_[i].kernel->scratch_bytes()));
    }
    scratch_bytes_ =
        std::max(scratch_bytes_, phase.lane_scratch_bytes * static_cast<size_t>(phase.lanes()));
  }
}

// A step waits for the producers of its operands that run in other lanes of its phase. State
// versions form a chain, and a reader of the old version must be finished before the next write.
void Plan::AssignWaits() {
  std::vector<int> last_touch(operands_.size(), -1);  // by base value, for states
  for (const Phase& phase : phases_) {
    for (size_t i = phase.begin; i < phase.end; ++i) {
      Step& step = steps_[i];
      const auto wait_for = [&](int other) {
        if (other < static_cast<int>(phase.begin) || other == static_cast<int>(i)) return;
        if (steps_[static_cast<size_t>(other)].lane == step.lane) return;
        if (std::ranges::count(step.waits, other) == 0) step.waits.push_back(other);
      };
      for (const Operand& operand : step.inputs) {
        if (operand.value == kNoValue) continue;
        wait_for(step_of_[static_cast<size_t>(operand.value)]);
        if (operand.place == Place::kState) {
          const auto state = static_cast<size_t>(states_[operand.index]);
          wait_for(last_touch[state]);
          last_touch[state] = static_cast<int>(i);
        }
      }
    }
  }
}

// For each step those that are finished before it starts, but for what follows from others.
std::vector<std::vector<int>> Plan::Predecessors() const {
  std::vector<std::vector<int>> predecessors;
  std::vector<int> phase_before;  // the last steps of its lanes
  for (const Phase& phase : phases_) {
    std::vector<int> last_in_lane(phase.lane_threads.size(), -1);
    for (size_t i = phase.begin; i < phase.end; ++i) {
      const Step& step = steps_[i];
      std::vector<int>& before = predecessors.emplace_back(step.waits);
      int& last = last_in_lane[static_cast<size_t>(step.lane)];
      if (last >= 0) {
        before.push_back(last);
      } else {
        before.insert(before.end(), phase_before.begin(), phase_before.end());
      }
      last = static_cast<int>(i);
    }
    std::erase(last_in_lane, -1);
    phase_before = std::move(last_in_lane);
  }
  return predecessors;
}

// The value whose bytes the step's result could take over, as far as the step itself goes: an input
// that the kernel names, stored alike, whole, and read as nothing else. kNoValue: none.
int Plan::OverwrittenValue(const Step& step) const {
  const int named = step.kernel->in_place_input();
  if (named < 0) return kNoValue;
  const Operand& input = step.inputs[static_cast<size_t>(named)];
  const TensorArg &from = input.arg, &to = step.outputs[0].arg;
  if (input.value == kNoValue || base_of_[static_cast<size_t>(input.value)] != input.value) {
    return kNoValue;
  }
  const auto reads = [&](const Operand& other) {
    return other.value != kNoValue && base_of_[static_cast<size_t>(other.value)] == input.value;
  };
  const bool alike = from.shape == to.shape && from.dtype == to.dtype && from.layout == to.layout &&
                     from.row_stride == to.row_stride;
  return alike && std::ranges::count_if(step.inputs, reads) == 1 ? input.value : kNoValue;
}

void Plan::AssignArena() {
  const int count = static_cast<int>(steps_.size());
  std::vector<ArenaValue> values;
  std::vector<int> slot(operands_.size(), -1);
  for (int i = 0; i < count; ++i) {
    for (const Operand& output : steps_[static_cast<size_t>(i)].outputs) {
      if (output.place != Place::kArena) continue;
      slot[static_cast<size_t>(output.value)] = static_cast<int>(values.size());
      const size_t bytes =
          static_cast<size_t>(output.arg.shape.elements()) * ByteSize(output.arg.dtype);
      values.push_back({.bytes = bytes, .definition = i, .uses = {}});
    }
    for (const Operand& input : steps_[static_cast<size_t>(i)].inputs) {
      if (input.value == kNoValue) continue;
      const int base = slot[static_cast<size_t>(base_of_[static_cast<size_t>(input.value)])];
      if (base >= 0) values[static_cast<size_t>(base)].uses.push_back(i);
    }
  }
  for (const auto& output : program_.graph().outputs()) {
    const int base = slot[static_cast<size_t>(base_of_[static_cast<size_t>(output.value)])];
    if (base >= 0) values[static_cast<size_t>(base)].uses.push_back(count);
  }
  const HappensBefore before(Predecessors());
  for (int i = 0; i < count; ++i) {
    const Step& step = steps_[static_cast<size_t>(i)];
    const int overwritten = OverwrittenValue(step);
    if (overwritten == kNoValue || slot[static_cast<size_t>(overwritten)] < 0) continue;
    int& mine = slot[static_cast<size_t>(step.outputs[0].value)];
    std::vector<int>& uses =
        values[static_cast<size_t>(slot[static_cast<size_t>(overwritten)])].uses;
    const bool last = std::ranges::all_of(
        uses, [&](int use) { return use == i || (use < count && before(use, i)); });
    if (!last) continue;
    // One value of the arena from here on: whoever reads the result reads these bytes.
    ArenaValue& result = values[static_cast<size_t>(mine)];
    uses.insert(uses.end(), result.uses.begin(), result.uses.end());
    result.bytes = 0;
    mine = slot[static_cast<size_t>(overwritten)];
  }
  const ArenaPlan placed = PlaceInArena(values, before, count);
  arena_bytes_ = placed.bytes;
  for (size_t value = 0; value < operands_.size(); ++value) {
    const int base = slot[static_cast<size_t>(base_of_[value])];
    if (base < 0 || operands_[value].place == Place::kAbsent) continue;
    operands_[value].place = Place::kArena;
    operands_[value].offset += placed.offsets[static_cast<size_t>(base)];
  }
}

// Gives the steps' operands the places that are known only now.
void Plan::ResolveOperands() {
  for (Step& step : steps_) {
    for (auto* list : {&step.inputs, &step.outputs}) {
      for (Operand& operand : *list) {
        if (operand.value == kNoValue) continue;
        if (program_.graph().value(operand.value).kind == ValueKind::kWeight) continue;
        operand = operands_[static_cast<size_t>(operand.value)];
      }
    }
  }
}

std::string Plan::Fingerprint() const {
  std::string text;
  for (const Step& step : steps_) {
    const KernelInfo info = step.kernel->info();
    text += fmt::format("{} {} {} {} lane {} of {} threads",
                        program_.graph().nodes()[static_cast<size_t>(step.node)].name,
                        info.provider, info.isa, info.kernel, step.lane, step.threads);
    for (const auto* list : {&step.inputs, &step.outputs}) {
      for (const Operand& operand : *list) {
        text += fmt::format(" {}:{}+{}{}/{}{}", static_cast<int>(operand.place), operand.index,
                            operand.offset, operand.arg.shape.ToString(), operand.arg.row_stride,
                            operand.arg.channels_last() ? " channels-last" : "");
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace vernier
