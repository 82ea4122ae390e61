#include "pipeline/model_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "pipeline/text_generation.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Ids as fed, i32 or i64, as the decoder takes them.
Tensor TokenIds(const Tensor& given, int64_t rows) {
  const bool integers = given.dtype() == DType::kI32 || given.dtype() == DType::kI64;
  if (!integers || given.shape().rank() != 2 || given.shape()[0] != rows ||
      given.shape().elements() == 0) {
    throw Error(ErrorKind::kInput,
                fmt::format("input {}: expected i32 or i64 [{}, tokens], found {} {}", kForcedIds,
                            rows, Name(given.dtype()), given.shape().ToString()),
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

ModelRun::ModelRun(const CompiledModel& model, const ModelPrograms& programs,
                   const NamedTensors& inputs)
    : model_(model), programs_(programs), inputs_(inputs) {
  if (programs.causal) {
    part_ = causal_.emplace(model, programs, inputs).First();
    return;
  }
  part_ = {.name = "encoder", .plan = model.Bind(*programs.encoder, inputs), .inputs = {}};
  for (const auto& [name, tensor] : inputs) part_.inputs.emplace(name, tensor.view());
  if (const auto ids = inputs.find(kForcedIds); ids != inputs.end()) Force(ids->second);
}

void ModelRun::Force(const Tensor& ids) {
  if (!programs_.decoder) {
    throw Error(ErrorKind::kUsage, fmt::format("a {} model has no decoder: {} cannot be fed",
                                               model_.model().info.family, kForcedIds));
  }
  ids_ = TokenIds(ids, part_.inputs.begin()->second.shape[0]);
}

const RunPart* ModelRun::Next(NamedTensors outputs) {
  if (causal_) return NextOfCausal(std::move(outputs));
  for (auto& [name, tensor] : outputs) outputs_.insert_or_assign(name, std::move(tensor));
  switch (stage_) {
    case Stage::kEncoder:
      return ids_ ? ToMemory() : nullptr;
    case Stage::kMemory:
      decoder_->KeepOnly(PatchesOf(inputs_.at(kPatchMask).view()));
      part_ = decoder_->ForcedPart(ids_->view());
      stage_ = Stage::kDecoder;
      return &part_;
    case Stage::kDecoder:
      break;
  }
  return nullptr;
}

const RunPart* ModelRun::NextOfCausal(NamedTensors outputs) {
  std::optional<RunPart> part = causal_->Next(std::move(outputs));
  if (part) {
    part_ = std::move(*part);
    return &part_;
  }
  outputs_ = causal_->TakeOutputs();
  return nullptr;
}

const Tensor& ModelRun::Memory() const { return outputs_.at(model_.model().features); }

const RunPart* ModelRun::ToMemory() {
  const Shape& shape = Memory().shape();
  decoder_.emplace(*programs_.decoder,
                   DecoderSizes{.pictures = shape[0],
                                .patches = shape[1],
                                .sequences = shape[0],
                                .tokens = ids_->shape()[1]},
                   nullptr);
  part_ = decoder_->MemoryPart(Memory().view());
  stage_ = Stage::kMemory;
  return &part_;
}

NamedTensors RunParts(ModelRun& run, Context& context, RunOptions options) {
  for (const RunPart* part = &run.First(); part != nullptr;) {
    options.states = part->states;
    part = run.Next(context.Run(*part->plan, part->inputs, options));
  }
  return run.TakeOutputs();
}

NamedTensors BlankOutputs(const Plan& plan) {
  const Graph& graph = plan.program().graph();
  NamedTensors outputs;
  for (const Graph::Output& output : graph.outputs()) {
    outputs.emplace(output.name, Tensor(DType::kF32, plan.Extent(graph.value(output.value).type)));
  }
  return outputs;
}

}  // namespace vernier
