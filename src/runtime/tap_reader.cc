#include "runtime/tap_reader.h"

#include <algorithm>
#include <utility>

#include "backends/ref/kernels.h"
#include "backends/reorder.h"
#include "core/check.h"

namespace vernier {
namespace {

// A dense, row-major copy, floats widened to f32.
Tensor ShownCopy(const TensorArg& arg) {
  Tensor copy = RowMajorCopy(arg, 1);
  if (!IsFloat(arg.dtype) || arg.dtype == DType::kF32) return copy;
  return ToFloat32(copy.view());
}

}  // namespace

const char* Name(TapKind kind) {
  constexpr const char* kNames[] = {"exact", "view", "recomputed", "absent"};
  return kNames[static_cast<size_t>(kind)];
}

TapReader::TapReader(const Plan& plan, TapSink& sink, Locate locate)
    : plan_(plan),
      original_(plan.program().original()),
      sink_(sink),
      locate_(std::move(locate)),
      wanted_(original_.values().size()),
      delivered_(original_.values().size()) {
  for (size_t i = 0; i < original_.values().size(); ++i) {
    const ValueInfo& info = original_.values()[i];
    if (plan.program().provenance(static_cast<int>(i)).kind == TapKind::kAbsent) continue;
    if (sink.Wants(info)) Want(static_cast<int>(i), true);
  }
}

void TapReader::Want(int value, bool deliver) {
  const auto index = static_cast<size_t>(value);
  delivered_[index] = delivered_[index] || deliver;
  if (wanted_[index]) return;
  wanted_[index] = true;
  if (plan_.program().provenance(value).kind != TapKind::kRecomputed) {
    captures_by_step_[plan_.step_of(value)].push_back(value);
    return;
  }
  const size_t node_index = original_.IndexOf(original_.value(value).producer);
  const Node& node = original_.nodes()[node_index];
  const int key = static_cast<int>(node_index);
  if (missing_.contains(key)) return;
  missing_[key] = 0;
  for (int input : node.inputs) {
    if (input == kNoValue || original_.value(input).kind == ValueKind::kWeight) continue;
    ++missing_[key];
    ++uses_left_[input];
    readers_[input].push_back(key);
    Want(input, false);
  }
}

void TapReader::BeforeRun() {
  std::vector<int> ready;
  for (const auto& [node, missing] : missing_) {
    if (missing == 0) ready.push_back(node);
  }
  for (int node : ready) Recompute(node);
  AfterStep(-1);
}

void TapReader::AfterStep(int step) {
  const auto found = captures_by_step_.find(step);
  if (found == captures_by_step_.end()) return;
  for (int value : found->second) Capture(value);
}

void TapReader::Capture(int value) {
  const int step = plan_.step_of(value);
  const KernelInfo kernel =
      step >= 0 ? plan_.steps()[static_cast<size_t>(step)].kernel->info() : KernelInfo{};
  Store(value, ShownCopy(locate_(plan_.operand(value))), plan_.program().provenance(value).kind,
        kernel);
}

void TapReader::Store(int value, Tensor tensor, TapKind kind, const KernelInfo& kernel) {
  const ValueInfo& info = original_.value(value);
  if (delivered_[static_cast<size_t>(value)]) {
    const Node* node = original_.producer(value);
    sink_.Take({.name = info.name,
                .aliases = info.aliases,
                .kind = kind,
                .op = node != nullptr ? node->op->name : "input",
                .device = plan_.program().backend().name(),
                .kernel = kernel},
               tensor.view());
  }
  if (!readers_.contains(value)) return;
  copies_[value] = std::move(tensor);
  for (int node : readers_[value]) {
    if (--missing_[node] == 0) Recompute(node);
  }
}

void TapReader::Recompute(int node_index) {
  const Node& node = original_.nodes()[static_cast<size_t>(node_index)];
  std::vector<TensorArg> inputs;
  for (int input : node.inputs) {
    if (input == kNoValue) {
      inputs.emplace_back();
    } else if (original_.value(input).kind == ValueKind::kWeight) {
      inputs.push_back(TensorArg::Of(plan_.program().OriginalWeight(input)));
    } else {
      inputs.push_back(TensorArg::Of(copies_.at(input).view()));
    }
  }
  std::vector<Tensor> results;
  std::vector<TensorArg> outputs;
  for (int output : node.outputs) {
    const ValueType& type = original_.value(output).type;
    results.emplace_back(type.dtype, plan_.Extent(type));
  }
  for (Tensor& result : results) outputs.push_back(TensorArg::Of(result.view()));
  FindRefKernel (*node.op)({.attributes = node.attributes,
                            .inputs = inputs,
                            .outputs = outputs,
                            .extents = plan_.extents(),
                            .threads = plan_.program().threads()});
  for (size_t i = 0; i < results.size(); ++i) {
    const int output = node.outputs[i];
    if (!wanted_[static_cast<size_t>(output)]) continue;
    if (plan_.program().provenance(output).kind != TapKind::kRecomputed) continue;
    Store(output, std::move(results[i]), TapKind::kRecomputed,
          {"ref", "", std::string("plain ") + node.op->name});
  }
  for (int input : node.inputs) {
    if (input != kNoValue && original_.value(input).kind != ValueKind::kWeight) Forget(input);
  }
}

void TapReader::Forget(int value) {
  if (--uses_left_[value] == 0) copies_.erase(value);
}

}  // namespace vernier
