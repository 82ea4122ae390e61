#include "vernier/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "graph/printer.h"
#include "passes/pass.h"
#include "pipeline/compiled_model.h"
#include "pipeline/loaded_model.h"
#include "pipeline/noise_inputs.h"
#include "pipeline/text_generation.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "runtime/program.h"
#include "vernier/error.h"

namespace vernier {
namespace {

int64_t FlopsOfOne(const Graph& graph, const ModelInfo& info) {
  return graph.Flops().Evaluate(
      {{"batch", 1}, {"height", info.height}, {"width", info.width}, {"patches", info.patches}});
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

// Ids as fed, i32 or i64, as the decoder takes them.
Tensor TokenIds(const Tensor& given, int64_t rows) {
  const bool integers = given.dtype() == DType::kI32 || given.dtype() == DType::kI64;
  if (!integers || given.shape().rank() != 2 || given.shape()[0] != rows ||
      given.shape().elements() == 0) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("input decoder_input_ids: expected i32 or i64 [{}, tokens], found {} {}", rows,
                    Name(given.dtype()), given.shape().ToString()),
        "one row of ids for each picture, the start token first");
  }
  if (given.dtype() == DType::kI32) return Tensor::CopyOf(given.view());
  Tensor ids(DType::kI32, given.shape());
  std::ranges::transform(given.as<int64_t>(), ids.as<int32_t>().begin(), [](int64_t id) {
    // What i32 cannot hold is no row of any table, and is refused where the ids are looked up.
    return static_cast<int32_t>(std::clamp<int64_t>(id, -1, std::numeric_limits<int32_t>::max()));
  });
  return ids;
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
    const size_t element = compiled_.options().dtype == "bf16" ? 2 : 4;
    return {.weight_bytes = info().parameters * static_cast<int64_t>(element),
            .packed_bytes = static_cast<int64_t>(compiled_.weights().packed_bytes()),
            .arena_bytes = static_cast<int64_t>(context_.arena_bytes() + context_.scratch_bytes())};
  }

  std::shared_ptr<const Plan> Bind(const NamedTensors& inputs) const {
    return compiled_.Bind(program(), inputs);
  }

  NamedTensors Run(const NamedTensors& inputs, const RunHooks& hooks) {
    HookSink sink(hooks);
    TapSink* taps = hooks.take ? &sink : nullptr;
    std::vector<StepTime> times;
    std::vector<StepTime>* timed = hooks.node_times != nullptr ? &times : nullptr;
    NamedTensors outputs =
        RunEncoder(inputs, {.taps = taps, .step_times = timed, .cancel = hooks.cancel});
    if (timed != nullptr) {
      hooks.node_times->clear();
      for (const StepTime& time : times) hooks.node_times->push_back({time.start_us, time.end_us});
    }
    if (const auto forced = inputs.find(kForcedIds); forced != inputs.end()) {
      outputs.emplace("logits", ForcedLogits(inputs, outputs, forced->second, taps, hooks.cancel));
    }
    return outputs;
  }

  GenerationOutput Generate(const NamedTensors& inputs, const GenerationRequest& request) {
    RequireDecoder("there is no text to generate");
    const auto start = std::chrono::steady_clock::now();
    const NamedTensors outputs = RunEncoder(inputs, {.cancel = request.cancel});
    const std::chrono::duration<double> encoded = std::chrono::steady_clock::now() - start;
    const std::vector<int64_t> patches = PatchesOf(inputs.at(kMask).view());
    GenerationOutput output =
        GenerateText(compiled_, {outputs.at(model().features).view(), patches}, request);
    output.seconds.encode += encoded.count();
    return output;
  }

 private:
  static constexpr const char* kForcedIds = "decoder_input_ids";
  static constexpr const char* kMask = "attention_mask";

  void RequireDecoder(const char* consequence) const {
    if (compiled_.decoder() != nullptr) return;
    throw Error(ErrorKind::kUsage,
                fmt::format("a {} model has no decoder: {}", info().family, consequence));
  }

  NamedTensors RunEncoder(const NamedTensors& inputs, const RunOptions& options) {
    const std::shared_ptr<const Plan> plan = Bind(inputs);
    NamedViews views;
    for (const auto& [name, tensor] : inputs) views.emplace(name, tensor.view());
    return context_.Run(*plan, views, options);
  }

  Tensor ForcedLogits(const NamedTensors& inputs, const NamedTensors& encoded, const Tensor& given,
                      TapSink* taps, const std::atomic<bool>* cancel) {
    RequireDecoder("decoder_input_ids cannot be fed");
    const Tensor& memory = encoded.at(model().features);
    const Tensor ids = TokenIds(given, memory.shape()[0]);
    const int64_t tokens = ids.shape()[1];
    CachedDecoder decoder(*compiled_.decoder(),
                          {.pictures = memory.shape()[0],
                           .patches = memory.shape()[1],
                           .sequences = memory.shape()[0],
                           .tokens = tokens},
                          cancel);
    decoder.ReadMemory(memory.view(), PatchesOf(inputs.at(kMask).view()), taps);
    return decoder.LogitsOf(ids.view(), taps);
  }

  CompiledModel compiled_;
  Context context_;
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
  return impl_->model().pictures.Read(files, headers);
}

NamedTensors Session::NoiseInputs(const NoiseOptions& options) const {
  return vernier::NoiseInputs(impl_->model(), options);
}

NamedTensors Session::Run(const NamedTensors& inputs, const RunHooks& hooks) {
  return impl_->Run(inputs, hooks);
}

const GenerationOptions* Session::generation_options() const {
  const auto& decoder = impl_->model().decoder;
  return decoder ? &decoder->generation : nullptr;
}

GenerationOutput Session::Generate(const NamedTensors& inputs, const GenerationRequest& request) {
  return impl_->Generate(inputs, request);
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
                      .dtype = Name(node.precision.multiply),
                      .lane = step.lane,
                      .flops = program.graph().Flops(node).Evaluate(plan->extents()),
                      .bytes = BytesOf(program.graph(), node, step)});
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
