#include "verify/isolated_steps.h"

#include <algorithm>
#include <cstring>

#include "backends/ref/kernels.h"
#include "core/check.h"
#include "core/float_types.h"
#include "ops/attention.h"

namespace vernier {
namespace {

bool IsFed(const Operand& operand) {
  return operand.place == Place::kInput || operand.place == Place::kArena;
}

}  // namespace

IsolatedSteps::IsolatedSteps(const Plan& plan, NamedStates states)
    : plan_(plan),
      original_(plan.program().original()),
      graph_(plan.program().graph()),
      states_(std::move(states)) {
  for (const Step& step : plan_.steps()) {
    for (const Operand& operand : step.inputs) {
      if (IsFed(operand) && !IsOriginal(operand.value)) ++reads_left_[operand.value];
    }
  }
}

bool IsolatedSteps::IsOriginal(int value) const {
  return static_cast<size_t>(value) < original_.values().size();
}

bool IsolatedSteps::IsState(int value) const { return StateBehind(original_, value) != kNoValue; }

std::vector<int> IsolatedSteps::Reads(int step) const {
  std::vector<int> values;
  for (const Operand& operand : plan_.steps()[static_cast<size_t>(step)].inputs) {
    if (IsFed(operand) && IsOriginal(operand.value)) values.push_back(operand.value);
  }
  return values;
}

int IsolatedSteps::StepOf(int value) const {
  const TapKind kind = plan_.program().provenance(value).kind;
  const int step = plan_.step_of(value);
  if (kind == TapKind::kExact && step >= 0) {
    const auto& outputs = plan_.steps()[static_cast<size_t>(step)].outputs;
    return std::ranges::count(outputs, value, &Operand::value) > 0 ? step : -1;
  }
  return kind == TapKind::kView ? step : -1;
}

std::vector<int> IsolatedSteps::Shows(int step) const {
  std::vector<int> values;
  for (size_t i = 0; i < original_.values().size(); ++i) {
    const int value = static_cast<int>(i);
    if (StepOf(value) == step) values.push_back(value);
  }
  return values;
}

std::vector<int> IsolatedSteps::NodeReads(int value) const {
  std::vector<int> values;
  for (int input : original_.producer(value)->inputs) {
    if (input == kNoValue || original_.value(input).kind == ValueKind::kWeight) continue;
    values.push_back(input);
  }
  return values;
}

// A value that passes made: a result of an earlier step.
const Tensor* IsolatedSteps::MadeByPass(int value) {
  const auto found = made_.find(value);
  return found == made_.end() ? nullptr : &found->second;
}

std::map<int, Tensor> IsolatedSteps::Run(int index, BoundaryValues& reference) {
  const Step& step = plan_.steps()[static_cast<size_t>(index)];
  NamedViews given;
  bool complete = true;
  for (const Operand& operand : step.inputs) {
    if (operand.place == Place::kState) {
      const int state = plan_.states()[operand.index];
      complete = complete && states_.contains(graph_.value(state).name);
    }
    if (!IsFed(operand)) continue;
    const Tensor* tensor = nullptr;
    if (!IsOriginal(operand.value)) {
      tensor = MadeByPass(operand.value);
    } else if (reference.Has(operand.value)) {
      tensor = &reference.Get(operand.value);
    }
    complete = complete && tensor != nullptr;
    if (tensor != nullptr) given.emplace(graph_.value(operand.value).name, tensor->view());
  }
  std::map<int, Tensor> shown;
  if (complete) {
    const NamedTensors results = context_.RunStep(plan_, index, given, states_);
    for (int value : Shows(index)) shown.emplace(value, Part(results, index, value));
    for (const auto& [value, reads] : reads_left_) {
      if (plan_.step_of(value) == index) made_.emplace(value, Part(results, index, value));
    }
  }
  for (const Operand& operand : step.inputs) {
    if (!IsFed(operand) || IsOriginal(operand.value)) continue;
    if (--reads_left_[operand.value] == 0) made_.erase(operand.value);
  }
  return shown;
}

// A value among a step's results: one of them, or rows and columns of one.
Tensor IsolatedSteps::Part(const NamedTensors& results, int index, int value) const {
  const Operand& wanted = plan_.operand(value);
  const Step& step = plan_.steps()[static_cast<size_t>(index)];
  for (const Operand& output : step.outputs) {
    const TensorArg& whole = output.arg;
    const size_t element = ByteSize(whole.dtype);
    const size_t bytes = static_cast<size_t>(whole.shape.elements()) * element;
    if (wanted.offset < output.offset ||
        wanted.offset >= output.offset + std::max<size_t>(bytes, 1)) {
      continue;
    }
    const Tensor& result = results.at(graph_.value(output.value).name);
    if (wanted.value == output.value) return Tensor::CopyOf(result.view());
    const float* from = result.as<float>().data() + (wanted.offset - output.offset) / element;
    Tensor part(DType::kF32, wanted.arg.shape);
    for (int64_t row = 0; row < wanted.arg.rows(); ++row) {
      std::copy_n(from + row * wanted.arg.row_stride, wanted.arg.columns(),
                  part.as<float>().data() + row * wanted.arg.columns());
    }
    return part;
  }
  VN_CHECK(false, graph_.value(value).name + " is no part of its step's results");
  return {};
}

std::optional<Tensor> IsolatedSteps::RunNode(int value, BoundaryValues& reference) const {
  const Node& node = *original_.producer(value);
  std::vector<TensorArg> inputs, outputs;
  for (int input : node.inputs) {
    if (input == kNoValue) {
      inputs.emplace_back();
    } else if (original_.value(input).kind == ValueKind::kWeight) {
      inputs.push_back(TensorArg::Of(plan_.program().OriginalWeight(input)));
    } else if (IsState(input) || !reference.Has(input)) {
      return std::nullopt;
    } else {
      inputs.push_back(TensorArg::Of(reference.Get(input).view()));
    }
  }
  std::vector<Tensor> results;
  for (int output : node.outputs) {
    const ValueType& type = original_.value(output).type;
    results.emplace_back(type.dtype, plan_.Extent(type));
    outputs.push_back(TensorArg::Of(results.back().view()));
  }
  FindRefKernel (*node.op)({.attributes = node.attributes,
                            .inputs = inputs,
                            .outputs = outputs,
                            .extents = plan_.extents(),
                            .threads = plan_.program().threads()});
  const auto place = std::ranges::find(node.outputs, value) - node.outputs.begin();
  return std::move(results[static_cast<size_t>(place)]);
}

}  // namespace vernier
