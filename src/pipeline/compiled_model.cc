#include "pipeline/compiled_model.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "core/cpu_features.h"
#include "core/free_memory.h"
#include "core/parallel.h"
#include "graph/printer.h"
#include "io/scan.h"
#include "pipeline/checkpoint_weights.h"
#include "pipeline/memory_forecast.h"
#include "pipeline/precision_file.h"
#include "runtime/plan.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

WinogradUse ParseWinogradUse(std::string_view use) {
  if (use == "auto") return WinogradUse::kWhereFaster;
  if (use == "always") return WinogradUse::kAlways;
  if (use == "never") return WinogradUse::kNever;
  throw Error(ErrorKind::kUsage, fmt::format("winograd: expected auto, always or never, found '{}'",
                                             use.substr(0, 40)));
}

std::unique_ptr<Backend> MakeBackend(const SessionOptions& options) {
  if (options.device == "cpu") {
    return MakeCpuBackend({.isa = options.isa.empty() ? Cpu().best() : ParseIsa(options.isa),
                           .onednn = options.onednn ? OnednnUse::kWhereFaster : OnednnUse::kNever,
                           .winograd = ParseWinogradUse(options.winograd)});
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

}  // namespace

std::vector<NamedProgram> PartsOf(const ModelPrograms& programs) {
  std::vector<NamedProgram> parts = {{"encoder", programs.encoder.get()}};
  if (programs.decoder) {
    parts.push_back({"memory", programs.decoder->memory.get()});
    parts.push_back({"decoder", programs.decoder->every_token.get()});
  }
  if (programs.causal) parts.push_back({"decoder", programs.causal->every_token.get()});
  return parts;
}

CompiledModel::CompiledModel(const SessionOptions& options)
    : options_(options),
      start_(Clock::now()),
      folder_(OpenModelFolder(options.model, options.config)) {
  if (options_.threads <= 0) options_.threads = AvailableThreads();
  model_ = LoadModel(folder_, options_);
  WarnAboutValues();
  seconds_.read = SecondsSince(start_);
  const Clock::time_point read = Clock::now();
  backend_ = MakeBackend(options_);
  weights_ = MakeWeightStore(folder_, model_, options_.seed);
  rules_ = PresetRules(options_.dtype, model_.keep_f32, model_.f32_activations);
  if (!options_.precision_file.empty()) {
    const PrecisionRules file = ReadPrecisionFile(options_.precision_file);
    CheckPrecisionRules(file, GraphsOf(model_), options_.precision_file);
    rules_.insert(rules_.end(), file.begin(), file.end());
  }
  programs_ = Compile(rules_);
  seconds_.compile = SecondsSince(read);
}

const Backend& CompiledModel::backend() const { return backend_ ? *backend_ : RefBackend(); }

ModelPrograms CompiledModel::Compile(const PrecisionRules& rules) const {
  ModelPrograms programs{
      .encoder = Compile(model_.graph, rules), .decoder = {}, .causal = {}, .top = {}};
  if (model_.decoder) {
    programs.decoder = {.memory = Compile(model_.decoder->memory, rules),
                        .every_token = Compile(model_.decoder->every_token, rules),
                        .last_token = Compile(model_.decoder->last_token, rules)};
  }
  if (model_.causal) {
    programs.causal = {.every_token = Compile(model_.causal->every_token, rules),
                       .last_token = Compile(model_.causal->last_token, rules),
                       .step = Compile(model_.causal->step, rules)};
  }
  if (model_.detector) programs.top = Compile(model_.detector->top, rules);
  return programs;
}

std::shared_ptr<const Program> CompiledModel::Compile(const Graph& graph,
                                                      const PrecisionRules& rules) const {
  ProgramOptions program;
  program.backend = &backend();
  program.precision = rules;
  program.disabled_passes = options_.disabled_passes;
  program.threads = options_.threads;
  program.parallel_branches = options_.parallel_branches;
  program.before_packing = [this](size_t bytes) {
    RequireMemoryForWeights({.bytes = static_cast<int64_t>(bytes),
                             .parameters = model_.info.parameters,
                             .dtype = options_.dtype},
                            FreeMemory());
  };
  if (options_.observe_pass) {
    program.observe_pass = [this](std::string_view pass, const Graph& after) {
      options_.observe_pass(pass, PrintText(after));
    };
  }
  auto compiled = Program::Compile(graph, weights_, std::move(program));
  // Packing read the files; what they lost meanwhile read as zeros.
  folder_.checkpoint.CheckIntact();
  return compiled;
}

std::shared_ptr<const Plan> CompiledModel::Bind(const Program& program,
                                                const NamedTensors& inputs) const {
  Extents extents;
  const Graph& graph = program.original();
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
  return program.Bind(extents);
}

void CompiledModel::WarnAboutValues() {
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

void CompiledModel::CheckInput(const ValueInfo& info, const Tensor& tensor) const {
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

}  // namespace vernier
