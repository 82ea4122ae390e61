#include "runtime/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "backends/reorder.h"
#include "core/cancel.h"
#include "core/check.h"
#include "core/float_types.h"
#include "core/parallel.h"
#include "runtime/tap_reader.h"

namespace vernier {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAlignment = 64;

void Grow(Tensor& memory, size_t bytes) {
  if (memory.bytes() < bytes) memory = Tensor(DType::kU8, {static_cast<int64_t>(bytes)});
}

// The bytes of a given value as the plan would hold them: storage type, layout and distance of
// rows.
Tensor LaidOut(const TensorArg& like, const TensorView& given, const std::string& name) {
  VN_CHECK(given.shape == like.shape, name);
  const bool rounds = given.dtype == DType::kF32 && like.dtype == DType::kBF16;
  VN_CHECK(rounds || given.dtype == like.dtype, name);
  Tensor rounded;
  if (rounds) {
    rounded = Tensor(DType::kBF16, given.shape);
    std::ranges::transform(given.as<float>(), static_cast<uint16_t*>(rounded.data()), ToBf16);
  }
  Tensor laid_out = Tensor::Zeros(like.dtype, {like.rows() * like.row_stride});
  TensorArg to = like;
  to.data = laid_out.data();
  CopyElements(TensorArg::Of(rounds ? rounded.view() : given), to, 1);
  return laid_out;
}

// A result as callers get it: row-major and f32, however the plan stores it.
Tensor Delivered(const TensorArg& result, int threads) {
  Tensor copy = RowMajorCopy(result, threads);
  return result.dtype == DType::kF32 ? std::move(copy) : ToFloat32(copy.view());
}

void* StateView(const Plan& plan, const Operand& operand, const NamedStates& states) {
  const int id = plan.states()[operand.index];
  const std::string& name = plan.program().graph().value(id).name;
  const auto found = states.find(name);
  VN_CHECK(found != states.end(), "state " + name + " was not given");
  return found->second;
}

// One run: the operand table and the loops over steps.
class Execution {
 public:
  /// A run that `repeats` keeps one team of threads for all its steps, which are short then.
  Execution(const Plan& plan, const NamedViews& inputs, const RunOptions& options, char* arena,
            char* scratch, bool repeats = false)
      : plan_(plan),
        options_(options),
        arena_(arena),
        scratch_(scratch),
        upcoming_(repeats && KeepsTeam(plan) ? UpcomingReads(plan) : std::vector<UpcomingRead>()),
        done_(plan.lanes() > 1 || keeps_team() ? plan.steps().size() : 0) {
    extents_ = plan.extents();
    for (const auto& [symbol, value] : options.runtime_extents) extents_[symbol] = value;
    LocateInputs(inputs);
    LocateStates();
    LocateSteps();
  }

  /// Other values of runtime symbols for the runs to come.
  void SetRuntimeExtents(const Extents& extents) {
    bool same = true;
    for (const auto& [symbol, value] : extents) {
      int64_t& present = extents_[symbol];
      same = same && present == value;
      present = value;
    }
    if (!same) LocateSteps();
  }

  TensorArg Locate(const Operand& operand) const {
    TensorArg arg = operand.arg;
    if (operand.runtime_extent) ShrinkToUse(operand, arg);
    switch (operand.place) {
      case Place::kAbsent:
        arg.data = nullptr;
        break;
      case Place::kInput:
        arg.data = static_cast<char*>(const_cast<void*>(inputs_[operand.index])) + operand.offset;
        break;
      case Place::kArena:
        arg.data = arena_ + operand.offset;
        break;
      case Place::kHeld:
        arg.data = static_cast<char*>(arg.data) + operand.offset;
        break;
      case Place::kState:
        arg.data = states_[operand.index];
        break;
    }
    return arg;
  }

  void BeforeRun() {
    if (options_.step_times != nullptr) {
      options_.step_times->assign(plan_.steps().size(), {});
      start_ = Clock::now();
    }
    if (options_.taps == nullptr) return;
    taps_.emplace(plan_, *options_.taps, [this](const Operand& o) { return Locate(o); });
    taps_->BeforeRun();
  }

  void Run() {
    BeforeRun();
    for (const Phase& phase : plan_.phases()) {
      const bool teams = phase.lanes() > 1 || keeps_team();
      if (!teams || !RunLanes(phase)) RunInOrder(phase);
    }
  }

  void RunStep(size_t index, char* scratch) {
    ThrowIfCancelled();
    const LocatedStep& located = located_[index];
    const double start_us = options_.step_times != nullptr ? Microseconds() : 0;
    plan_.steps()[index].kernel->Run({.inputs = located.inputs,
                                      .outputs = located.outputs,
                                      .scratch = scratch,
                                      .threads = plan_.steps()[index].threads,
                                      .cancel = options_.cancel});
    ThrowIfCancelled();  // the step may have left off
    if (options_.step_times != nullptr) (*options_.step_times)[index] = {start_us, Microseconds()};
    if (taps_) {
      std::lock_guard lock(taps_mutex_);
      taps_->AfterStep(static_cast<int>(index));
    }
  }

  NamedTensors Outputs() const {
    NamedTensors outputs;
    for (const auto& output : plan_.program().graph().outputs()) {
      outputs.emplace(output.name,
                      Delivered(Locate(plan_.operand(output.value)), plan_.program().threads()));
    }
    return outputs;
  }

 private:
  void ThrowIfCancelled() const {
    if (IsSet(options_.cancel)) {
      throw Error(ErrorKind::kInterrupted, "the run was interrupted");
    }
  }

  double Microseconds() const {
    return std::chrono::duration<double, std::micro>(Clock::now() - start_).count();
  }

  struct LocatedStep {
    std::vector<TensorArg> inputs;
    std::vector<TensorArg> outputs;
  };

  static bool KeepsTeam(const Plan& plan) {
    return plan.program().threads() > 1 && plan.lanes() == 1 &&
           std::ranges::none_of(plan.steps(),
                                [](const Step& step) { return step.kernel->opens_regions(); });
  }

  // By step: what its threads read after it.
  static std::vector<UpcomingRead> UpcomingReads(const Plan& plan) {
    std::vector<UpcomingRead> upcoming(plan.steps().size());
    UpcomingRead next;
    for (size_t i = upcoming.size(); i-- > 0;) {
      upcoming[i] = next;
      const auto streamed = plan.steps()[i].kernel->streamed_bytes();
      if (!streamed.empty()) next = streamed;
    }
    return upcoming;
  }

  bool keeps_team() const { return !upcoming_.empty(); }

  // Allocates the first time only.
  void LocateSteps() {
    located_.resize(plan_.steps().size());
    for (size_t i = 0; i < located_.size(); ++i) {
      const auto locate = [this](const std::vector<Operand>& operands, auto& args) {
        args.resize(operands.size());
        std::ranges::transform(operands, args.begin(),
                               [this](const Operand& operand) { return Locate(operand); });
      };
      locate(plan_.steps()[i].inputs, located_[i].inputs);
      locate(plan_.steps()[i].outputs, located_[i].outputs);
    }
  }

  void LocateInputs(const NamedViews& inputs) {
    const Graph& graph = plan_.program().graph();
    for (int id : plan_.inputs()) {
      const ValueInfo& info = graph.value(id);
      const auto found = inputs.find(info.name);
      if (found == inputs.end()) {
        throw Error(ErrorKind::kInput, fmt::format("input {} was not given", info.name));
      }
      TensorArg expected = plan_.operand(id).arg;
      if (plan_.operand(id).runtime_extent) ShrinkToUse(plan_.operand(id), expected);
      if (found->second.dtype != info.type.dtype || !(found->second.shape == expected.shape)) {
        throw Error(ErrorKind::kInput,
                    fmt::format("input {} must be {}{}, got {}{}", info.name, Name(info.type.dtype),
                                expected.shape.ToString(), Name(found->second.dtype),
                                found->second.shape.ToString()));
      }
      inputs_.push_back(found->second.data);
    }
  }

  void LocateStates() {
    for (int id : plan_.states()) {
      const std::string& name = plan_.program().graph().value(id).name;
      const auto found = options_.states.find(name);
      VN_CHECK(found != options_.states.end(), "state " + name + " was not given");
      states_.push_back(found->second);
    }
  }

  void ShrinkToUse(const Operand& operand, TensorArg& arg) const {
    const ValueType& type = plan_.program().graph().value(operand.value).type;
    for (int axis = 0; axis < type.rank(); ++axis) {
      const int64_t size = type.dim(axis).Evaluate(extents_);
      VN_CHECK(size >= 0 && size <= operand.arg.shape[axis],
               "a runtime extent beyond its capacity");
      arg.shape.Set(axis, size);
    }
    const bool last_varies = type.rank() > 0 && type.dim(-1).HasRuntimeSymbol();
    if (last_varies) arg.row_stride = arg.columns();
  }

  void RunInOrder(const Phase& phase) {
    for (size_t i = phase.begin; i < phase.end; ++i) RunStep(i, scratch_);
  }

  // Each lane runs its steps in order, with one team for all of them, and spins until the steps it
  // waits for are done: spinning, because steps are short and all lanes have a core. False where
  // there are too few threads.
  bool RunLanes(const Phase& phase) {
    for (size_t i = phase.begin; i < phase.end; ++i) done_[i] = false;
    std::atomic<bool> failed = false;
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto run_lane = [&](int lane) {
      char* scratch = scratch_ + static_cast<size_t>(lane) * phase.lane_scratch_bytes;
      for (size_t i = phase.begin; i < phase.end && !failed; ++i) {
        const Step& step = plan_.steps()[i];
        if (step.lane != lane) continue;
        for (int wait : step.waits) {
          const std::atomic<bool>& awaited = done_[static_cast<size_t>(wait)];
          while (!awaited.load(std::memory_order_acquire) && !failed) std::this_thread::yield();
        }
        if (failed) return;
        if (keeps_team()) FetchWhileWaiting(&upcoming_[i]);
        try {
          RunStep(i, scratch);
        } catch (...) {
          std::lock_guard lock(failure_mutex);
          if (!failure) failure = std::current_exception();
          failed = true;
        }
        done_[i].store(true, std::memory_order_release);
      }
    };
    const bool enough = ParallelTeams(phase.lane_threads, std::ref(run_lane));
    if (failure) std::rethrow_exception(failure);
    return enough;
  }

  const Plan& plan_;
  const RunOptions& options_;
  char* arena_;
  char* scratch_;
  Clock::time_point start_;  // of the run; set when steps are timed
  Extents extents_;
  std::vector<const void*> inputs_;
  std::vector<KvView*> states_;
  std::vector<LocatedStep> located_;
  std::vector<UpcomingRead> upcoming_;   // by step; empty where no team is kept
  std::vector<std::atomic<bool>> done_;  // by step, of the phase whose lanes run
  std::optional<TapReader> taps_;
  std::mutex taps_mutex_;
};

}  // namespace

void Context::Reserve(const Plan& plan) {
  Grow(arena_, std::max<size_t>(plan.arena_bytes(), 1));
  ReserveScratch(plan);
}

void Context::ReserveScratch(const Plan& plan) {
  Grow(scratch_, plan.scratch_bytes() + kAlignment);
}

NamedTensors Context::Run(const Plan& plan, const NamedViews& inputs, const RunOptions& options) {
  Reserve(plan);
  Execution execution(plan, inputs, options, static_cast<char*>(arena_.data()),
                      static_cast<char*>(scratch_.data()));
  execution.Run();
  return execution.Outputs();
}

NamedTensors Context::RunStep(const Plan& plan, int step_index, const NamedViews& inputs,
                              const NamedStates& states) {
  ReserveScratch(plan);
  const Step& step = plan.steps()[static_cast<size_t>(step_index)];
  const Graph& graph = plan.program().graph();
  std::vector<Tensor> given;
  std::vector<TensorArg> in, out;
  for (const Operand& operand : step.inputs) {
    TensorArg arg = operand.arg;
    if (operand.place == Place::kInput || operand.place == Place::kArena) {
      const std::string& name = graph.value(operand.value).name;
      const auto found = inputs.find(name);
      VN_CHECK(found != inputs.end(), "RunStep needs " + name);
      given.push_back(LaidOut(arg, found->second, name));
      arg.data = given.back().data();
    } else if (operand.place == Place::kHeld) {
      arg.data = static_cast<char*>(arg.data) + operand.offset;
    } else if (operand.place == Place::kState) {
      arg.data = StateView(plan, operand, states);
    }
    in.push_back(arg);
  }
  std::vector<Tensor> results;
  for (const Operand& operand : step.outputs) {
    results.emplace_back(operand.arg.dtype, operand.arg.shape);
    out.push_back(operand.place == Place::kState
                      ? operand.arg
                      : TensorArg::Of(results.back().view(), operand.arg.layout));
    if (operand.place == Place::kState) out.back().data = StateView(plan, operand, states);
  }
  step.kernel->Run(
      {.inputs = in, .outputs = out, .scratch = scratch_.data(), .threads = step.threads});
  NamedTensors outputs;
  for (size_t i = 0; i < results.size(); ++i) {
    if (step.outputs[i].place == Place::kState) continue;
    outputs.emplace(graph.value(step.outputs[i].value).name,
                    Delivered(out[i], plan.program().threads()));
  }
  return outputs;
}

struct SteppedRun::Impl {
  Impl(Context& context, const Plan& to_run, const NamedViews& inputs, RunOptions how)
      : plan(to_run),
        options(std::move(how)),
        scratch(static_cast<char*>(context.scratch_.data())),
        execution(plan, inputs, options, static_cast<char*>(context.arena_.data()), scratch) {
    execution.BeforeRun();
  }

  const Plan& plan;
  const RunOptions options;
  char* scratch;
  Execution execution;
  size_t next = 0;
};

SteppedRun::SteppedRun(Context& context, const Plan& plan, const NamedViews& inputs,
                       RunOptions options) {
  context.Reserve(plan);
  impl_ = std::make_unique<Impl>(context, plan, inputs, std::move(options));
}

SteppedRun::~SteppedRun() = default;

bool SteppedRun::Advance() {
  if (impl_->next == impl_->plan.steps().size()) return false;
  impl_->execution.RunStep(impl_->next++, impl_->scratch);
  return true;
}

NamedTensors SteppedRun::Outputs() const { return impl_->execution.Outputs(); }

struct RepeatedRun::Impl {
  Impl(Context& context, std::shared_ptr<const Plan> to_run, const NamedViews& inputs,
       RunOptions how)
      : plan(std::move(to_run)),
        options(std::move(how)),
        execution(*plan, inputs, options, static_cast<char*>(context.arena_.data()),
                  static_cast<char*>(context.scratch_.data()), true) {}

  std::shared_ptr<const Plan> plan;
  const RunOptions options;
  Execution execution;
};

RepeatedRun::RepeatedRun(Context& context, std::shared_ptr<const Plan> plan,
                         const NamedViews& inputs, RunOptions options) {
  VN_CHECK(options.taps == nullptr, "taps are read in single runs");
  context.Reserve(*plan);
  impl_ = std::make_unique<Impl>(context, std::move(plan), inputs, std::move(options));
}

RepeatedRun::~RepeatedRun() = default;

void RepeatedRun::Run(const Extents& runtime_extents) {
  impl_->execution.SetRuntimeExtents(runtime_extents);
  impl_->execution.Run();
}

std::span<float> RepeatedRun::Output(std::string_view name) {
  const auto& outputs = impl_->plan->program().graph().outputs();
  const auto found = std::ranges::find(outputs, name, &Graph::Output::name);
  VN_CHECK(found != outputs.end(), std::string(name));
  const TensorArg arg = impl_->execution.Locate(impl_->plan->operand(found->value));
  VN_CHECK(arg.dtype == DType::kF32 && arg.dense() && !arg.channels_last(),
           "an output that is not dense, row-major f32");
  return {static_cast<float*>(arg.data), static_cast<size_t>(arg.shape.elements())};
}

}  // namespace vernier
