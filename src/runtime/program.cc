#include "runtime/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/plain.h"
#include "backends/ref/kernels.h"
#include "core/check.h"
#include "ops/elementwise.h"
#include "ops/shape_ops.h"
#include "passes/pass.h"
#include "runtime/plan.h"

namespace vernier {
namespace {

std::string Key(const Extents& extents) {
  std::string key;
  for (const auto& [name, value] : extents) key += fmt::format("{}={};", name, value);
  return key;
}

// Values that depend on weights, constants and bound extents alone.
std::vector<bool> FoldableValues(const Graph& graph) {
  std::vector<bool> foldable(graph.values().size());
  for (size_t i = 0; i < foldable.size(); ++i) {
    foldable[i] = graph.values()[i].kind == ValueKind::kWeight;
  }
  for (const Node& node : graph.nodes()) {
    // What is folded is row-major, as references write it.
    const bool fold = FindRefKernel(*node.op) != nullptr &&
                      graph.value(node.outputs[0]).layout == Layout::kRowMajor &&
                      std::ranges::all_of(node.inputs, [&](int input) {
                        return input == kNoValue || foldable[static_cast<size_t>(input)];
                      });
    for (int output : node.outputs) foldable[static_cast<size_t>(output)] = fold;
  }
  return foldable;
}

}  // namespace

std::shared_ptr<const Program> Program::Compile(const Graph& model,
                                                std::shared_ptr<WeightStore> weights,
                                                ProgramOptions options) {
  std::shared_ptr<Program> program(new Program(model, std::move(weights), std::move(options)));
  const Backend& backend = program->backend();
  const PassContext context{
      .rules = program->options_.precision,
      .wanted = backend.passes(),
      .can_emit = [&](const Graph& graph, const Node& node,
                      DType dtype) { return backend.CanEmit(graph, node, dtype); },
      .maps = [&](const Graph& graph, const Node& node) { return backend.Maps(graph, node); }};
  RunPasses(program->graph_, context, program->options_.disabled_passes,
            program->options_.observe_pass);
  program->CheckSupport();
  program->Prepare();
  program->TraceProvenance();
  return program;
}

Program::Program(const Graph& model, std::shared_ptr<WeightStore> weights, ProgramOptions options)
    : original_(model), graph_(model), weights_(std::move(weights)), options_(std::move(options)) {}

void Program::CheckSupport() const {
  std::string reasons;
  for (const Node& node : graph_.nodes()) {
    const Support support = backend().CanRun(graph_, node);
    if (!support.yes)
      reasons += fmt::format("\n  {} ({}): {}", node.name, node.op->name, support.why);
  }
  if (reasons.empty()) return;
  throw Error(ErrorKind::kDevice,
              fmt::format("{} cannot run these nodes:{}", backend().name(), reasons),
              "use --device ref, or another dtype");
}

void Program::Prepare() {
  if (options_.before_packing) {
    options_.before_packing(
        weights_->BytesToPack([this](WeightStore& counting) { PrepareWith(counting); }));
  }
  Prepared prepared = PrepareWith(*weights_);
  steps_ = std::move(prepared.steps);
  held_weights_ = std::move(prepared.held);
}

Program::Prepared Program::PrepareWith(WeightStore& weights) const {
  Prepared prepared;
  const std::vector<bool> foldable = FoldableValues(graph_);
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    PreparedStep step{.node = static_cast<int>(i), .prepared = nullptr};
    step.folded = foldable[static_cast<size_t>(node.outputs[0])];
    step.prepared = step.folded ? PreparePlain(node, "bind")
                                : backend().Prepare({graph_, node, weights, options_.threads});
    HoldWeights(node, step.prepared->owned_inputs(), weights, prepared.held);
    prepared.steps.push_back(std::move(step));
  }
  return prepared;
}

void Program::HoldWeights(const Node& node, const std::vector<int>& owned, WeightStore& weights,
                          HeldWeights& held) const {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const int input = node.inputs[i];
    if (input == kNoValue || graph_.value(input).kind != ValueKind::kWeight) continue;
    if (std::ranges::count(owned, static_cast<int>(i)) > 0) continue;
    if (!held.contains(input)) held[input] = weights.Float32(graph_.value(input).name);
  }
}

const float* Program::Float32Weight(int value) const {
  std::lock_guard lock(weights_mutex_);
  const auto found = held_weights_.find(value);
  VN_CHECK(found != held_weights_.end(), graph_.value(value).name);
  return found->second.data;
}

TensorView Program::OriginalWeight(int value) const {
  const ValueInfo& info = original_.value(value);
  std::vector<int64_t> shape;
  for (const Dim& dim : info.type.shape) shape.push_back(dim.constant());
  std::lock_guard lock(weights_mutex_);
  auto& held = held_weights_[value];
  if (held.data == nullptr) held = weights_->Float32(info.name);
  return {held.data, DType::kF32, Shape(std::span<const int64_t>(shape))};
}

void Program::TraceProvenance() {
  const auto& values = original_.values();
  provenance_.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    Provenance& provenance = provenance_[i];
    const int id = static_cast<int>(i);
    const Node* computed = graph_.producer(id);
    const Node* defined = original_.producer(id);
    const bool is_state =
        values[i].kind == ValueKind::kState || (defined != nullptr && defined->op->writes_state);
    if (values[i].kind == ValueKind::kWeight || is_state) {
      provenance = {TapKind::kAbsent, "not an activation"};
    } else if (values[i].kind == ValueKind::kInput || (computed && computed->op == defined->op)) {
      provenance.kind = TapKind::kExact;
    } else if (computed != nullptr) {
      const bool is_view = computed->op == &kSlice || computed->op == &kReshape;
      provenance.kind = is_view ? TapKind::kView : TapKind::kExact;
    } else if (FindRefKernel(*defined->op) == nullptr) {
      provenance = {TapKind::kAbsent, std::string("no reference for ") + defined->op->name};
    } else {
      provenance.kind = TapKind::kRecomputed;
      for (int input : defined->inputs) {
        if (input == kNoValue) continue;
        const ValueInfo& source = values[static_cast<size_t>(input)];
        const bool seen = source.kind == ValueKind::kWeight ||
                          provenance_[static_cast<size_t>(input)].kind != TapKind::kAbsent;
        if (!seen) provenance = {TapKind::kAbsent, source.name + " cannot be seen"};
      }
    }
  }
}

std::shared_ptr<const Plan> Program::Bind(const Extents& extents) const {
  const std::string key = Key(extents);
  {
    std::lock_guard lock(plans_mutex_);
    const auto found =
        std::ranges::find(plans_, key, [](const auto& entry) { return entry.first; });
    if (found != plans_.end()) {
      plans_.splice(plans_.begin(), plans_, found);
      return plans_.front().second;
    }
  }
  auto plan = std::make_shared<const Plan>(*this, extents);
  std::lock_guard lock(plans_mutex_);
  plans_.emplace_front(key, plan);
  size_t bytes = 0;
  for (auto entry = plans_.begin(); entry != plans_.end(); ++entry) {
    bytes += entry->second->held_bytes();
    if (bytes > options_.plan_cache_bytes && entry != plans_.begin()) {
      plans_.erase(entry, plans_.end());
      break;
    }
  }
  return plan;
}

}  // namespace vernier
