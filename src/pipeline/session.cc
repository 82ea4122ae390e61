#include "vernier/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/free_memory.h"
#include "graph/printer.h"
#include "passes/pass.h"
#include "pipeline/causal_generation.h"
#include "pipeline/causal_run.h"
#include "pipeline/compiled_model.h"
#include "pipeline/find_instances.h"
#include "pipeline/loaded_model.h"
#include "pipeline/memory_forecast.h"
#include "pipeline/model_run.h"
#include "pipeline/noise_inputs.h"
#include "pipeline/padded_rows.h"
#include "pipeline/read_pictures.h"
#include "pipeline/text_generation.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "runtime/program.h"
#include "vernier/error.h"

namespace vernier {
namespace {

int64_t FlopsOfOne(const Graph& graph, const ModelInfo& info) {
  return graph.Flops().Evaluate({{"batch", 1},
                                 {"pictures", 1},
                                 {"height", info.height},
                                 {"width", info.width},
                                 {"patches", info.patches}});
}

// A weight that the node packed is read in the numbers that the node wants it in.
int64_t BytesOf(const Graph& graph, const Node& node, const Step& step) {
  int64_t bytes = 0;
  for (const auto* list : {&step.inputs, &step.outputs}) {
    for (const Operand& operand : *list) {
      if (operand.value == kNoValue) continue;
      const bool packed =
          operand.place == Place::kAbsent && graph.value(operand.value).kind == ValueKind::kWeight;
      const DType dtype = packed ? node.precision.weight : operand.arg.dtype;
      bytes += operand.arg.shape.elements() * static_cast<int64_t>(ByteSize(dtype));
    }
  }
  return bytes;
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

// Collects the times of a run's parts on one clock; does nothing where nobody wants them.
class NodeClock {
 public:
  explicit NodeClock(std::vector<NodeTime>* times) : times_(times), start_(Clock::now()) {
    if (times_ != nullptr) times_->clear();
  }

  std::vector<StepTime>* StartPart() {
    if (times_ == nullptr) return nullptr;
    part_start_us_ = std::chrono::duration<double, std::micro>(Clock::now() - start_).count();
    return &part_;
  }

  void FinishPart() {
    if (times_ == nullptr) return;
    for (const StepTime& time : part_) {
      times_->push_back({part_start_us_ + time.start_us, part_start_us_ + time.end_us});
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<NodeTime>* times_;
  Clock::time_point start_;
  double part_start_us_ = 0;
  std::vector<StepTime> part_;
};

void AddPlaced(const RunPart& part, std::vector<PlacedNode>& placed) {
  const Program& program = part.plan->program();
  for (const Step& step : part.plan->steps()) {
    const Node& node = program.graph().nodes()[static_cast<size_t>(step.node)];
    const KernelInfo kernel = step.kernel->info();
    placed.push_back({.name = node.name,
                      .part = part.name,
                      .op = node.op->name,
                      .device = program.backend().name(),
                      .provider = kernel.provider,
                      .isa = kernel.isa,
                      .kernel = kernel.kernel,
                      .dtype = Name(node.precision.multiply),
                      .lane = step.lane,
                      .flops = program.graph().Flops(node).Evaluate(part.plan->extents()),
                      .bytes = BytesOf(program.graph(), node, step)});
  }
}

}  // namespace

class Session::Impl {
 public:
  explicit Impl(const SessionOptions& options) : compiled_(options) {}

  const CompiledModel& compiled() const { return compiled_; }
  const ModelInfo& info() const { return compiled_.model().info; }
  const LoadedModel& model() const { return compiled_.model(); }
  const Program& program() const { return compiled_.program(); }

  SessionMemory memory() const {
    const std::string& dtype = compiled_.options().dtype;
    const int64_t element = dtype == "f32" ? 4 : (dtype == "bf16" ? 2 : 1);
    return {.weight_bytes = info().parameters * element,
            .packed_bytes = static_cast<int64_t>(compiled_.weights().packed_bytes()),
            .arena_bytes = static_cast<int64_t>(context_.arena_bytes() + context_.scratch_bytes()) +
                           decoder_arena_bytes_,
            .cache_bytes = cache_bytes_};
  }

  NamedTensors Run(const NamedTensors& inputs, const RunHooks& hooks) {
    const ModelPrograms& programs = compiled_.programs();
    ModelRun run(compiled_, programs, inputs);
    HookSink sink(hooks);
    std::optional<PaddedRows> padded;
    if (run.rows() != nullptr && !run.rows()->together()) {
      padded.emplace(sink, programs.causal->every_token->original(), std::ssize(run.rows()->rows),
                     run.rows()->tokens);
    }
    RunOptions options{.cancel = hooks.cancel};
    if (hooks.take) options.taps = padded ? static_cast<TapSink*>(&*padded) : &sink;
    NodeClock clock(hooks.node_times);
    for (const RunPart* part = &run.First(); part != nullptr;) {
      options.states = part->states;
      options.step_times = clock.StartPart();
      NamedTensors outputs = context_.Run(*part->plan, part->inputs, options);
      clock.FinishPart();
      part = run.Next(std::move(outputs));
    }
    cache_bytes_ = std::max(cache_bytes_, static_cast<int64_t>(run.cache_bytes()));
    return run.TakeOutputs();
  }

  std::vector<PictureInstances> FindInstances(const NamedTensors& outputs,
                                              std::span<const PictureInfo> pictures,
                                              const DetectionRequest& request) {
    if (!model().detector) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("a {} model does not find objects", info().family));
    }
    const Program* top = compiled_.programs().top.get();
    return vernier::FindInstances(
        {.config = model().detector->config,
         .maps = outputs,
         .pictures = pictures,
         .request = request,
         .threads = compiled_.options().threads},
        [this, top](const Tensor& windows) {
          const auto plan = top->Bind({{"locations", windows.shape()[0]}});
          NamedTensors found = top_context_.Run(*plan, {{"windows", windows.view()}});
          return std::move(found.at("top_feat"));
        });
  }

  GenerationOutput Generate(const NamedTensors& inputs, const GenerationRequest& request) {
    if (compiled_.programs().causal) return Chat(inputs, request);
    if (!compiled_.programs().decoder) {
      throw Error(ErrorKind::kUsage, fmt::format("a {} model has no decoder: there is no text to "
                                                 "generate",
                                                 info().family));
    }
    const auto start = std::chrono::steady_clock::now();
    const ModelRun run(compiled_, compiled_.programs(), inputs);
    const NamedTensors outputs =
        context_.Run(*run.First().plan, run.First().inputs, {.cancel = request.cancel});
    const std::chrono::duration<double> encoded = std::chrono::steady_clock::now() - start;
    const std::vector<int64_t> patches = PatchesOf(inputs.at(kPatchMask).view());
    GenerationOutput output =
        GenerateText(compiled_, {outputs.at(model().features).view(), patches}, request);
    output.seconds.encode += encoded.count();
    Count(output);
    return output;
  }

 private:
  GenerationOutput Chat(const NamedTensors& inputs, GenerationRequest request) {
    CausalRun run(compiled_, compiled_.programs(), inputs);
    request.options = CheckedForContext(compiled_, run.rows(), request.options);
    MemoryForecast forecast = ForecastAnswers(compiled_, run.rows(), inputs, request.options);
    forecast.held_bytes =
        std::min(forecast.encoder_bytes,
                 static_cast<int64_t>(context_.arena_bytes() + context_.scratch_bytes()));
    RequireMemory(forecast, FreeMemory());
    const auto start = std::chrono::steady_clock::now();
    NamedTensors outputs;
    if (run.has_pictures()) {
      const RunPart part = run.First();
      outputs = context_.Run(*part.plan, part.inputs, {.cancel = request.cancel});
    }
    const std::chrono::duration<double> encoded = std::chrono::steady_clock::now() - start;
    const TensorView features =
        run.has_pictures() ? outputs.at(model().features).view() : TensorView{};
    GenerationOutput output = GenerateAnswers(compiled_, run.rows(), features, request);
    output.seconds.encode = encoded.count();
    Count(output);
    return output;
  }

  void Count(const GenerationOutput& output) {
    cache_bytes_ = std::max(cache_bytes_, output.cache_bytes);
    decoder_arena_bytes_ = std::max(decoder_arena_bytes_, output.arena_bytes);
  }

  CompiledModel compiled_;
  Context context_;
  Context top_context_;  // of the detector's top layer, whose plans are small
  int64_t cache_bytes_ = 0;
  int64_t decoder_arena_bytes_ = 0;
};

Session::Session(const SessionOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const ModelInfo& Session::info() const { return impl_->info(); }
const SessionSeconds& Session::seconds() const { return impl_->compiled().seconds(); }
SessionMemory Session::memory() const { return impl_->memory(); }

Pictures Session::ReadImages(const std::vector<std::string>& files,
                             const PictureHeaders& headers) const {
  return ReadPictures(impl_->model(), files, headers);
}

Pictures Session::ReadPages(const std::vector<PictureFile>& pages,
                            const PictureHeaders& headers) const {
  return ReadPictures(impl_->model(), pages, headers);
}

Pictures Session::ReadChats(const std::vector<ChatPrompt>& prompts) const {
  if (impl_->model().chats) return impl_->model().chats->Read(prompts);
  throw Error(ErrorKind::kUsage,
              fmt::format("a {} model reads no conversations", impl_->info().family));
}

Pictures Session::JoinPictures(std::vector<Pictures> parts) const {
  return impl_->model().pictures.Join(std::move(parts));
}

NamedTensors Session::NoiseInputs(const NoiseOptions& options) const {
  return vernier::NoiseInputs(impl_->model(), options);
}

NamedTensors Session::Run(const NamedTensors& inputs, const RunHooks& hooks) {
  return impl_->Run(inputs, hooks);
}

const GenerationOptions* Session::generation_options() const {
  const LoadedModel& model = impl_->model();
  if (model.causal) return &model.causal->generation;
  return model.decoder ? &model.decoder->generation : nullptr;
}

GenerationOutput Session::Generate(const NamedTensors& inputs, const GenerationRequest& request) {
  return impl_->Generate(inputs, request);
}

std::vector<PictureInstances> Session::FindInstances(const NamedTensors& outputs,
                                                     std::span<const PictureInfo> pictures,
                                                     const DetectionRequest& request) {
  return impl_->FindInstances(outputs, pictures, request);
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
  const ModelPrograms& programs = impl_->compiled().programs();
  ModelRun run(impl_->compiled(), programs, inputs);
  if (programs.decoder && !inputs.contains(kForcedIds)) {
    run.Force(Tensor(DType::kI32, {run.First().inputs.begin()->second.shape[0], 1}));
  }
  std::vector<PlacedNode> placed;
  for (const RunPart* part = &run.First(); part != nullptr;) {
    AddPlaced(*part, placed);
    part = run.Next(BlankOutputs(*part->plan));
  }
  return placed;
}

std::vector<AbsentTap> Session::AbsentTaps() const {
  std::vector<AbsentTap> absent;
  for (const NamedProgram& part : PartsOf(impl_->compiled().programs())) {
    const Graph& graph = part.program->original();
    for (size_t id = 0; id < graph.values().size(); ++id) {
      const ValueInfo& value = graph.values()[id];
      const Provenance& provenance = part.program->provenance(static_cast<int>(id));
      if (value.kind == ValueKind::kResult && provenance.kind == TapKind::kAbsent) {
        absent.push_back({value.name, provenance.reason});
      }
    }
  }
  return absent;
}

std::string Session::GraphText(std::string_view format, bool after_passes) const {
  const std::vector<NamedProgram> parts = PartsOf(impl_->compiled().programs());
  const bool dot = format == "dot";
  std::string text;
  for (const auto& [name, program] : parts) {
    const Graph& graph = after_passes ? program->graph() : program->original();
    if (parts.size() > 1) text += fmt::format("{} {}\n", dot ? "//" : "#", name);
    text += dot ? PrintDot(graph) : PrintText(graph);
  }
  return text;
}

int64_t Session::FlopsPerImage() const {
  return FlopsOfOne(impl_->program().original(), impl_->info());
}

ModelSummary SummarizeModel(const SessionOptions& options) {
  const ModelFolder folder = OpenModelFolder(options.model, options.config);
  const LoadedModel model = LoadModel(folder, options);
  return {.info = model.info, .flops_per_image = FlopsOfOne(model.graph, model.info)};
}

std::vector<PassName> PassNames() {
  std::vector<PassName> names;
  for (const Pass& pass : AllPasses()) names.push_back({pass.name, pass.what});
  return names;
}

}  // namespace vernier
