#include "verify/lockstep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/check.h"
#include "metrics/row_metrics.h"
#include "verify/compare_sources.h"
#include "verify/isolated_steps.h"

namespace vernier {
namespace {

class Walker : public TapSink {
 public:
  Walker(const WalkedRun& run, const MakeReference& make_reference, const WalkOptions& options)
      : run_(run),
        options_(options),
        plan_(*run.plan),
        graph_(plan_.program().original()),
        steps_(plan_, run.isolated_states),
        compared_(graph_.values().size()),
        uses_left_(graph_.values().size()) {
    ChooseValues();
    CountUses();
    std::vector<bool> wanted;
    for (int uses : uses_left_) wanted.push_back(uses > 0);
    reference_ = make_reference(wanted);
  }

  Walk Run() {
    Context context;
    SteppedRun run(context, plan_, run_.inputs,
                   {.taps = this, .cancel = options_.cancel, .states = run_.states});
    const int steps = static_cast<int>(plan_.steps().size());
    for (int step = 0; run.Advance(); ++step) {
      if (options_.isolated) Isolate(step);
      if (options_.progress) options_.progress(step + 1, steps);
    }
    Walk walk{.tensors = {}, .outputs = run.Outputs(), .reference_outputs = ReferenceOutputs()};
    for (auto& [value, tensor] : found_) walk.tensors.push_back(std::move(tensor));
    std::ranges::stable_sort(walk.tensors, {}, &TensorComparison::order);
    return walk;
  }

  bool Wants(const ValueInfo& value) const override {
    return compared_[static_cast<size_t>(graph_.Find(value.name))];
  }

  void Take(const TapRecord& record, const TensorView& tensor) override {
    const int value = graph_.Find(record.name);
    TensorComparison& found = Entry(value);
    found.candidate.tap = Name(record.kind);
    const KernelInfo& kernel = record.kernel;
    if (!kernel.kernel.empty()) {
      found.candidate.kernel = fmt::format("{}:{}:{}", kernel.provider, kernel.isa, kernel.kernel);
    }
    if (reference_->Has(value) && reference_->IsOwn(value)) {
      const TensorView reference = reference_->Get(value).view();
      const HeldMetrics held = HoldTo(
          options_.tolerances.Of(found.name, found.aliases), [&](const PairTolerance& tolerance) {
            return MeasurePair(tensor, reference,
                               {.tolerance = tolerance, .divergence = options_.divergence});
          });
      found.accumulated = held.metrics;
      found.tolerance = held.tolerance;
      if (HoldsScores(found.name, found.aliases)) found.rows = MeasureRows(tensor, reference);
    } else {
      found.notes.push_back("the reference has no such value; its step's own error is regional");
    }
    Release(value);
    if (RunsAlone(value)) IsolateNode(value);
  }

 private:
  // A value that no step of the plan gives: inside a fused step, from weights alone, or a part of
  // another value.
  bool RunsAlone(int value) const {
    return options_.isolated && compared_[static_cast<size_t>(value)] &&
           graph_.producer(value) != nullptr && steps_.StepOf(value) < 0;
  }

  void ChooseValues() {
    for (size_t i = 0; i < compared_.size(); ++i) {
      const ValueInfo& info = graph_.values()[i];
      if (plan_.program().provenance(static_cast<int>(i)).kind == TapKind::kAbsent) continue;
      compared_[i] = !options_.wants || options_.wants(info);
    }
  }

  // How often each value of the reference will be asked for, so that it can go after the last time.
  void CountUses() {
    for (size_t i = 0; i < compared_.size(); ++i) {
      const int value = static_cast<int>(i);
      if (!compared_[i]) continue;
      ++uses_left_[i];
      if (!RunsAlone(value)) continue;
      ++uses_left_[i];
      for (int input : steps_.NodeReads(value)) ++uses_left_[static_cast<size_t>(input)];
    }
    for (const auto& output : graph_.outputs()) ++uses_left_[static_cast<size_t>(output.value)];
    if (!options_.isolated) return;
    for (int step = 0; step < static_cast<int>(plan_.steps().size()); ++step) {
      for (int value : steps_.Reads(step)) ++uses_left_[static_cast<size_t>(value)];
      for (int value : steps_.Shows(step)) ++uses_left_[static_cast<size_t>(value)];
    }
  }

  NamedTensors ReferenceOutputs() {
    NamedTensors outputs;
    for (const auto& output : graph_.outputs()) {
      if (reference_->Has(output.value)) {
        outputs.emplace(output.name, Tensor::CopyOf(reference_->Get(output.value).view()));
      }
      Release(output.value);
    }
    reference_->Finish();
    return outputs;
  }

  void Release(int value) {
    if (--uses_left_[static_cast<size_t>(value)] == 0) reference_->Release(value);
  }

  void Isolate(int step) {
    for (const auto& [value, tensor] : steps_.Run(step, *reference_)) {
      if (!compared_[static_cast<size_t>(value)]) continue;
      Own(value, tensor, steps_.Reads(step), "");
    }
    for (int value : steps_.Reads(step)) Release(value);
    for (int value : steps_.Shows(step)) Release(value);
  }

  void IsolateNode(int value) {
    const std::optional<Tensor> alone = steps_.RunNode(value, *reference_);
    const std::vector<int> reads = steps_.NodeReads(value);
    if (alone) Own(value, *alone, reads, InsideOf(value));
    for (int input : reads) Release(input);
    Release(value);
  }

  void Own(int value, const Tensor& found, const std::vector<int>& reads,
           const std::string& inside) {
    if (!reference_->Has(value)) return;
    OwnError own{.kind = "isolated", .inside = inside};
    std::set<std::string> since;
    std::vector<int> boundary = reads;
    boundary.push_back(value);
    for (int each : boundary) {
      if (reference_->IsOwn(each)) continue;
      own.kind = "regional";
      for (std::string& name : reference_->Since(each)) since.insert(std::move(name));
    }
    own.since = fmt::format("{}", fmt::join(since, " "));
    own.metrics = MeasurePair(found.view(), reference_->Get(value).view(),
                              {.tolerance = options_.tolerances.of_all.pair, .divergence = false});
    Entry(value).own = std::move(own);
  }

  // The first value behind this one that a step computes: that step's.
  std::string InsideOf(int value) const {
    std::vector<int> open = {value};
    std::set<int> seen;
    while (!open.empty()) {
      const int next = open.back();
      open.pop_back();
      if (!seen.insert(next).second) continue;
      if (next != value && plan_.step_of(next) >= 0) return graph_.value(next).name;
      for (const Node& node : graph_.nodes()) {
        if (std::ranges::count(node.inputs, next) > 0) open.push_back(node.outputs[0]);
      }
    }
    return {};
  }

  TensorComparison& Entry(int value) {
    const auto [place, added] = found_.try_emplace(value);
    TensorComparison& entry = place->second;
    if (!added) return entry;
    const ValueInfo& info = graph_.value(value);
    const Node* producer = graph_.producer(value);
    entry.name = run_.prefix + info.name;
    entry.aliases = info.aliases;
    entry.op = producer != nullptr ? producer->op->name : "input";
    entry.order = producer != nullptr ? 1 + static_cast<int64_t>(graph_.IndexOf(producer->id)) : 0;
    entry.preprocessing = info.kind == ValueKind::kInput;
    for (const auto& output : graph_.outputs()) {
      if (output.value != value) continue;
      entry.output = true;
      if (output.name != info.name) entry.aliases.push_back(output.name);
    }
    entry.reference.name = entry.candidate.name = info.name;
    entry.reference.shape = entry.candidate.shape = plan_.Extent(info.type);
    entry.reference.dtype = entry.candidate.dtype = info.type.dtype;
    entry.paired_by = "name";
    return entry;
  }

  const WalkedRun& run_;
  const WalkOptions& options_;
  const Plan& plan_;
  const Graph& graph_;
  IsolatedSteps steps_;
  std::vector<bool> compared_;  // by value
  std::vector<int> uses_left_;  // of the reference's values
  std::unique_ptr<BoundaryValues> reference_;
  std::map<int, TensorComparison> found_;
};

}  // namespace

Walk WalkInLockstep(const WalkedRun& run, const MakeReference& reference,
                    const WalkOptions& options) {
  return Walker(run, reference, options).Run();
}

}  // namespace vernier
