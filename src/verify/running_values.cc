#include "verify/running_values.h"

#include "core/check.h"
#include "runtime/plan.h"

namespace vernier {

class RunningValues::Sink final : public TapSink {
 public:
  Sink(const Graph& graph, RunningValues& values) : graph_(graph), values_(values) {}

  bool Wants(const ValueInfo& value) const override {
    return values_.wanted_.contains(graph_.Find(value.name));
  }

  void Take(const TapRecord& record, const TensorView& tensor) override {
    for (int value : values_.wanted_.at(graph_.Find(record.name))) {
      values_.held_.insert_or_assign(value, Tensor::CopyOf(tensor));
    }
  }

 private:
  const Graph& graph_;
  RunningValues& values_;
};

RunningValues::RunningValues(const Plan& plan, const NamedViews& inputs, const Graph& candidate,
                             const std::vector<bool>& wanted, const NamedStates& states)
    : own_ids_(wanted.size(), kNoValue) {
  const Graph& graph = plan.program().original();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    const int own = graph.Find(candidate.values()[i].name);
    if (own == kNoValue || plan.program().provenance(own).kind == TapKind::kAbsent) continue;
    own_ids_[i] = own;
    wanted_[own].push_back(static_cast<int>(i));
  }
  sink_ = std::make_unique<Sink>(graph, *this);
  run_ = std::make_unique<SteppedRun>(context_, plan, inputs,
                                      RunOptions{.taps = sink_.get(), .states = states});
}

RunningValues::~RunningValues() = default;

bool RunningValues::Has(int value) const {
  return own_ids_[static_cast<size_t>(value)] != kNoValue;
}

const Tensor& RunningValues::Get(int value) {
  auto found = held_.find(value);
  while (found == held_.end()) {
    VN_CHECK(run_->Advance(), "a value was asked for that the run does not give, or not any more");
    found = held_.find(value);
  }
  return found->second;
}

void RunningValues::Release(int value) {
  if (!Has(value)) return;
  Get(value);  // a value that nobody asked for must not be kept when it comes
  held_.erase(value);
}

void RunningValues::Finish() {
  while (run_->Advance()) held_.clear();
}

}  // namespace vernier
