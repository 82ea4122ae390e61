#include "vernier/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "core/parallel.h"
#include "graph/printer.h"
#include "io/scan.h"
#include "passes/pass.h"
#include "pipeline/checkpoint_weights.h"
#include "pipeline/loaded_model.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "runtime/program.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::unique_ptr<Backend> MakeBackend(const SessionOptions& options) {
  if (options.device == "cpu") {
    return MakeCpuBackend({.isa = options.isa.empty() ? Cpu().best() : ParseIsa(options.isa),
                           .onednn = options.onednn ? OnednnUse::kWhereFaster : OnednnUse::kNever});
  }
  if (options.device == "ref") return nullptr;
  throw Error(ErrorKind::kDevice,
              fmt::format("device '{}' is not part of this build", options.device.substr(0, 40)),
              "use --device cpu, or ref for the slow definition of every op");
}

// Symbols that stand alone as an extent of an input take their values from what is fed.
void TakeExtents(const ValueInfo& input, const Shape& shape, Extents& extents) {
  for (int axis = 0; axis < input.type.rank(); ++axis) {
    const Dim& dim = input.type.dim(axis);
    const std::vector<std::string> symbols = dim.Symbols();
    if (symbols.size() == 1 && dim.ToString() == symbols[0]) extents[symbols[0]] = shape[axis];
  }
}

int64_t FlopsOfOne(const Graph& graph, const ModelInfo& info) {
  return graph.Flops().Evaluate({{"batch", 1}, {"height", info.height}, {"width", info.width}});
}

// Hands a run's taps to the hooks of a session's caller.
class HookSink : public TapSink {
 public:
  explicit HookSink(const RunHooks& hooks) : hooks_(hooks) {}

  bool Wants(const ValueInfo& value) const override {
    return hooks_.wants && hooks_.wants(value.name, value.aliases);
  }

  void Take(const TapRecord& record, const TensorView& tensor) override {
    const KernelInfo& kernel = record.kernel;
    hooks_.take({.name = record.name,
                 .aliases = record.aliases,
                 .kind = Name(record.kind),
                 .op = record.op,
                 .device = record.device,
                 .kernel = kernel.kernel.empty() ? ""
                                                 : fmt::format("{}:{}:{}", kernel.provider,
                                                               kernel.isa, kernel.kernel),
                 .tensor = tensor});
  }

 private:
  const RunHooks& hooks_;
};

}  // namespace

class Session::Impl {
 public:
  explicit Impl(const SessionOptions& options)
      : options_(options), start_(Clock::now()), folder_(OpenModelFolder(options.model)) {
    if (options_.threads <= 0) options_.threads = AvailableThreads();
    model_ = LoadModel(folder_, options_);
    WarnAboutValues();
    seconds_.read = SecondsSince(start_);
    Compile();
  }

  const ModelInfo& info() const { return model_.info; }
  const SessionSeconds& seconds() const { return seconds_; }
  const LoadedModel& model() const { return model_; }
  const Program& program() const { return *program_; }

  SessionMemory memory() const {
    const size_t element = options_.dtype == "bf16" ? 2 : 4;
    return {.weight_bytes = model_.info.parameters * static_cast<int64_t>(element),
            .packed_bytes = static_cast<int64_t>(weights_->packed_bytes()),
            .arena_bytes = static_cast<int64_t>(context_.arena_bytes() + context_.scratch_bytes())};
  }

  std::shared_ptr<const Plan> Bind(const NamedTensors& inputs) const {
    Extents extents;
    const Graph& graph = program_->original();
    for (int id : graph.inputs()) {
      const ValueInfo& info = graph.value(id);
      const auto found = inputs.find(info.name);
      if (found == inputs.end()) {
        throw Error(ErrorKind::kInput, fmt::format("input {} is missing", info.name),
                    fmt::format("feed it with --input {}=FILE.npy", info.name));
      }
      CheckInput(info, found->second);
      TakeExtents(info, found->second.shape(), extents);
    }
    return program_->Bind(extents);
  }

  NamedTensors Run(const NamedTensors& inputs, const RunHooks& hooks) {
    const std::shared_ptr<const Plan> plan = Bind(inputs);
    NamedViews views;
    for (const auto& [name, tensor] : inputs) views.emplace(name, tensor.view());
    HookSink sink(hooks);
    RunOptions run;
    run.taps = hooks.take ? &sink : nullptr;
    run.cancel = hooks.cancel;
    return context_.Run(*plan, views, run);
  }

 private:
  const Backend& backend() const { return backend_ ? *backend_ : RefBackend(); }

  void Compile() {
    const Clock::time_point start = Clock::now();
    backend_ = MakeBackend(options_);
    weights_ = MakeWeightStore(folder_, model_, options_.seed);
    ProgramOptions program;
    program.backend = &backend();
    program.precision = PresetRules(options_.dtype, model_.keep_f32);
    program.disabled_passes = options_.disabled_passes;
    program.threads = options_.threads;
    if (options_.observe_pass) {
      program.observe_pass = [this](std::string_view pass, const Graph& graph) {
        options_.observe_pass(pass, PrintText(graph));
      };
    }
    program_ = Program::Compile(model_.graph, weights_, std::move(program));
    // Packing read the files; what they lost meanwhile read as zeros.
    folder_.checkpoint.CheckIntact();
    seconds_.compile = SecondsSince(start);
  }

  void WarnAboutValues() {
    auto& warnings = model_.info.warnings;
    warnings.insert(warnings.end(), folder_.checkpoint.warnings().begin(),
                    folder_.checkpoint.warnings().end());
    std::vector<std::string> names;
    for (const NonFiniteTensor& tensor : FindNonFinite(folder_.checkpoint, options_.threads)) {
      names.push_back(
          fmt::format("{} ({} NaN, {} infinite)", tensor.name, tensor.count.nan, tensor.count.inf));
    }
    if (!names.empty()) {
      warnings.push_back(fmt::format("{} tensor{} of the checkpoint hold{} NaN or infinity: {}",
                                     names.size(), names.size() == 1 ? "" : "s",
                                     names.size() == 1 ? "s" : "", Shortened(names)));
    }
  }

  void CheckInput(const ValueInfo& info, const Tensor& tensor) const {
    const auto refuse = [&](const std::string& hint) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("input {}: expected {} {}, found {} {}", info.name, Name(info.type.dtype),
                      ToString(info.type.shape), Name(tensor.dtype()), tensor.shape().ToString()),
          hint);
    };
    if (tensor.dtype() != info.type.dtype || tensor.shape().rank() != info.type.rank()) refuse("");
    if (tensor.shape().elements() == 0) refuse("there is nothing to compute on");
    for (int axis = 0; axis < info.type.rank(); ++axis) {
      const Dim& dim = info.type.dim(axis);
      if (dim.IsConstant() && dim.constant() != tensor.shape()[axis]) refuse(model_.size_hint);
    }
  }

  SessionOptions options_;
  Clock::time_point start_;
  SessionSeconds seconds_;
  ModelFolder folder_;
  LoadedModel model_;
  std::unique_ptr<Backend> backend_;  // null for the reference, which is a constant
  std::shared_ptr<WeightStore> weights_;
  std::shared_ptr<const Program> program_;
  Context context_;
};

Session::Session(const SessionOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const ModelInfo& Session::info() const { return impl_->info(); }
const SessionSeconds& Session::seconds() const { return impl_->seconds(); }
SessionMemory Session::memory() const { return impl_->memory(); }

Pictures Session::ReadImages(const std::vector<std::string>& files) const {
  return impl_->model().pictures.Read(files);
}

NamedTensors Session::Run(const NamedTensors& inputs, const RunHooks& hooks) {
  return impl_->Run(inputs, hooks);
}

const Tensor& Session::Features(const NamedTensors& outputs) const {
  const auto found = outputs.find(impl_->model().features);
  if (found == outputs.end()) {
    throw Error(ErrorKind::kUsage, fmt::format("there is no output {}", impl_->model().features));
  }
  return found->second;
}

Tensor Session::Embedding(const NamedTensors& outputs, std::string_view kind) const {
  const Tensor& features = Features(outputs);
  const int64_t batch = features.shape()[0], tokens = features.shape()[1];
  const int64_t width = features.shape()[2];
  if (kind != "cls" && kind != "mean") {
    throw Error(ErrorKind::kUsage, fmt::format("unknown embedding '{}'", kind), "use cls or mean");
  }
  Tensor embedding(DType::kF32, {batch, width});
  const float* from = features.as<float>().data();
  float* to = embedding.as<float>().data();
  for (int64_t row = 0; row < batch; ++row, from += tokens * width, to += width) {
    if (kind == "cls") {
      std::copy_n(from, width, to);
      continue;
    }
    for (int64_t channel = 0; channel < width; ++channel) {
      double sum = 0;
      for (int64_t token = 1; token < tokens; ++token) sum += from[token * width + channel];
      to[channel] = static_cast<float>(sum / static_cast<double>(tokens - 1));
    }
  }
  return embedding;
}

std::vector<PlacedNode> Session::Placement(const NamedTensors& inputs) const {
  const std::shared_ptr<const Plan> plan = impl_->Bind(inputs);
  const Program& program = impl_->program();
  std::vector<PlacedNode> placed;
  for (const Step& step : plan->steps()) {
    const Node& node = program.graph().nodes()[static_cast<size_t>(step.node)];
    const KernelInfo kernel = step.kernel->info();
    placed.push_back({.name = node.name,
                      .op = node.op->name,
                      .device = program.backend().name(),
                      .provider = kernel.provider,
                      .isa = kernel.isa,
                      .kernel = kernel.kernel,
                      .dtype = Name(node.precision.multiply)});
  }
  return placed;
}

std::vector<AbsentTap> Session::AbsentTaps() const {
  const Program& program = impl_->program();
  std::vector<AbsentTap> absent;
  for (size_t id = 0; id < program.original().values().size(); ++id) {
    const ValueInfo& value = program.original().values()[id];
    const Provenance& provenance = program.provenance(static_cast<int>(id));
    if (value.kind == ValueKind::kResult && provenance.kind == TapKind::kAbsent) {
      absent.push_back({value.name, provenance.reason});
    }
  }
  return absent;
}

std::string Session::GraphText(std::string_view format, bool after_passes) const {
  const Graph& graph = after_passes ? impl_->program().graph() : impl_->program().original();
  return format == "dot" ? PrintDot(graph) : PrintText(graph);
}

int64_t Session::FlopsPerImage() const {
  return FlopsOfOne(impl_->program().original(), impl_->info());
}

ModelSummary SummarizeModel(const SessionOptions& options) {
  const ModelFolder folder = OpenModelFolder(options.model);
  const LoadedModel model = LoadModel(folder, options);
  return {.info = model.info, .flops_per_image = FlopsOfOne(model.graph, model.info)};
}

std::vector<PassName> PassNames() {
  std::vector<PassName> names;
  for (const Pass& pass : AllPasses()) names.push_back({pass.name, pass.what});
  return names;
}

}  // namespace vernier
