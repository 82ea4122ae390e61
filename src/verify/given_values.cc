#include "verify/given_values.h"

#include <algorithm>
#include <set>

#include "backends/ref/kernels.h"
#include "core/check.h"
#include "ops/attention.h"
#include "runtime/plan.h"

namespace vernier {

GivenValues::GivenValues(const Plan& plan, const GivenTensors& source, std::vector<bool> wanted,
                         GivenOptions options)
    : plan_(plan),
      graph_(plan.program().original()),
      source_(source),
      options_(std::move(options)),
      wanted_(std::move(wanted)),
      given_as_(wanted_.size()),
      available_(wanted_.size()),
      needed_(graph_.nodes().size()),
      uses_left_(wanted_.size()) {
  for (size_t i = 0; i < wanted_.size(); ++i) {
    const int value = static_cast<int>(i);
    const bool is_state = StateBehind(graph_, value) != kNoValue;
    if (!IsWeight(value) && !is_state) given_as_[i] = NameInSource(value);
    available_[i] = IsWeight(value) || !given_as_[i].empty() || StateOf(value) != nullptr;
  }
  for (const Node& node : graph_.nodes()) {
    const bool computable =
        FindRefKernel(*node.op) != nullptr && std::ranges::all_of(node.inputs, [&](int input) {
          return input == kNoValue || available_[static_cast<size_t>(input)];
        });
    for (int output : node.outputs) {
      const auto index = static_cast<size_t>(output);
      available_[index] = available_[index] || computable;
    }
  }
  MarkNeeded();
}

std::string GivenValues::NameInSource(int value) const {
  const ValueInfo& info = graph_.value(value);
  std::vector<std::string> names = {info.name};
  names.insert(names.end(), info.aliases.begin(), info.aliases.end());
  for (const auto& output : graph_.outputs()) {
    if (output.value == value) names.push_back(output.name);
  }
  const int64_t elements = plan_.Extent(info.type).elements();
  const auto found = std::ranges::find_if(names, [&](const std::string& name) {
    return source_.Has(name) && source_.ShapeOf(name).elements() == elements;
  });
  return found == names.end() ? "" : *found;
}

KvView* GivenValues::StateOf(int value) const {
  const int state = StateBehind(graph_, value);
  if (state == kNoValue) return nullptr;
  const auto found = options_.states.find(graph_.value(state).name);
  return found == options_.states.end() ? nullptr : found->second;
}

bool GivenValues::IsWeight(int value) const {
  return graph_.value(value).kind == ValueKind::kWeight;
}

// Whether a node's operand is a tensor that is held while somebody needs it.
bool GivenValues::IsCounted(int value) const {
  return value != kNoValue && !IsWeight(value) && StateOf(value) == nullptr;
}

// Backwards from what is wanted to what is given.
void GivenValues::MarkNeeded() {
  std::vector<bool> compute(wanted_.size());
  for (size_t i = 0; i < wanted_.size(); ++i) {
    if (!wanted_[i] || !available_[i]) continue;
    compute[i] = given_as_[i].empty();
    ++uses_left_[i];
  }
  for (size_t n = graph_.nodes().size(); n-- > 0;) {
    const Node& node = graph_.nodes()[n];
    // What is appended to a state is for the runs after this one, too.
    needed_[n] = std::ranges::any_of(node.outputs, [&](int output) {
      return compute[static_cast<size_t>(output)] || StateOf(output) != nullptr;
    });
    if (!needed_[n]) continue;
    for (int input : node.inputs) {
      if (!IsCounted(input)) continue;
      const auto index = static_cast<size_t>(input);
      ++uses_left_[index];
      compute[index] = given_as_[index].empty();
    }
  }
}

bool GivenValues::Has(int value) const {
  const auto index = static_cast<size_t>(value);
  return wanted_[index] && available_[index];
}

const Tensor& GivenValues::Get(int value) {
  VN_CHECK(Has(value), graph_.value(value).name);
  while (given_as_[static_cast<size_t>(value)].empty() && !held_.contains(value)) {
    VN_CHECK(next_ < graph_.nodes().size(), graph_.value(value).name + " was released");
    ComputeNext();
  }
  return Held(value);
}

void GivenValues::ComputeNext() {
  if (needed_[next_]) Compute(graph_.nodes()[next_]);
  ++next_;
}

void GivenValues::Finish() {
  while (next_ < graph_.nodes().size()) ComputeNext();
}

// A value that was computed, or one of the source, read when first asked for.
const Tensor& GivenValues::Held(int value) {
  const auto found = held_.find(value);
  if (found != held_.end()) return found->second;
  const ValueInfo& info = graph_.value(value);
  const std::string& name = given_as_[static_cast<size_t>(value)];
  VN_CHECK(!name.empty() && uses_left_[static_cast<size_t>(value)] > 0, info.name);
  Tensor tensor = source_.Read(name);
  if (IsFloat(info.type.dtype) && tensor.dtype() != DType::kF32) tensor = ToFloat32(tensor.view());
  tensor.Reshape(plan_.Extent(info.type));
  return held_.emplace(value, std::move(tensor)).first->second;
}

void GivenValues::Compute(const Node& node) {
  std::vector<TensorArg> inputs, outputs;
  for (int input : node.inputs) {
    if (input == kNoValue) {
      inputs.emplace_back();
    } else if (IsWeight(input)) {
      inputs.push_back(TensorArg::Of(plan_.program().OriginalWeight(input)));
    } else if (KvView* state = StateOf(input)) {
      inputs.push_back({.data = state});
    } else {
      inputs.push_back(TensorArg::Of(Held(input).view()));
    }
  }
  std::vector<Tensor> results;
  for (int output : node.outputs) {
    const ValueType& type = graph_.value(output).type;
    KvView* state = StateOf(output);
    results.push_back(state != nullptr ? Tensor() : Tensor(type.dtype, plan_.Extent(type)));
    outputs.push_back(state != nullptr ? TensorArg{.data = state}
                                       : TensorArg::Of(results.back().view()));
  }
  FindRefKernel (*node.op)({.attributes = node.attributes,
                            .inputs = inputs,
                            .outputs = outputs,
                            .extents = plan_.extents(),
                            .threads = plan_.program().threads()});
  for (size_t i = 0; i < results.size(); ++i) {
    const auto output = static_cast<size_t>(node.outputs[i]);
    if (uses_left_[output] == 0 || !given_as_[output].empty()) continue;
    if (options_.computed && wanted_[output]) {
      options_.computed(graph_.values()[output], results[i].view());
    }
    held_.emplace(node.outputs[i], std::move(results[i]));
  }
  for (int input : node.inputs) {
    if (IsCounted(input)) Use(input);
  }
}

void GivenValues::Use(int value) {
  if (--uses_left_[static_cast<size_t>(value)] == 0) held_.erase(value);
}

void GivenValues::Release(int value) {
  if (!Has(value)) return;
  if (given_as_[static_cast<size_t>(value)].empty()) Get(value);  // its turn may be still to come
  Use(value);
}

bool GivenValues::IsOwn(int value) const {
  return options_.computed_is_own || !given_as_[static_cast<size_t>(value)].empty();
}

std::vector<std::string> GivenValues::Since(int value) const {
  std::set<std::string> names;
  std::set<int> seen;
  std::vector<int> open = {value};
  while (!open.empty()) {
    const int next = open.back();
    open.pop_back();
    if (!seen.insert(next).second || IsWeight(next)) continue;
    const std::string& given = given_as_[static_cast<size_t>(next)];
    if (!given.empty()) {
      names.insert(given);
      continue;
    }
    const Node* producer = graph_.producer(next);
    if (producer == nullptr) continue;
    for (int input : producer->inputs) {
      if (input != kNoValue) open.push_back(input);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace vernier
