// ModelRun: a run of a model as its programs in their order, each with its inputs. Whoever drives
// it runs each part as it likes and hands back what came out, which the next part may read:
//
//   ModelRun run(model, model.programs(), inputs);
//   for (const RunPart* part = run.First(); part != nullptr; part = run.Next(std::move(outputs))) {
//     outputs = context.Run(*part->plan, part->inputs, {.states = part->states});
//   }
//
// A model that writes text reads given ids all at once (teacher forcing), where the inputs hold
// them: decoder_input_ids [rows, tokens], the start token first, or behind the prompts of a model
// that reads some. Model, programs and inputs must outlive the run. One thread.
#pragma once

#include <optional>

#include "pipeline/causal_run.h"
#include "pipeline/compiled_model.h"
#include "pipeline/run_part.h"

namespace vernier {

class ModelRun {
 public:
  /// Throws Error{kInput} for inputs that are missing or do not fit, Error{kUsage} for ids that the
  /// model does not read.
  ModelRun(const CompiledModel& model, const ModelPrograms& programs, const NamedTensors& inputs);

  /// The part to begin with. A part lives until the next one is asked for.
  const RunPart& First() const { return part_; }
  /// What follows a part that gave `outputs`; null after the last.
  const RunPart* Next(NamedTensors outputs);

  /// The rows of tokens of a model that reads pictures among text; null for others.
  const CausalRows* rows() const { return causal_ ? &causal_->rows() : nullptr; }

  /// Ids for a run that began without; to be given before the part after the encoder is asked for.
  void Force(const Tensor& ids);

  /// Outputs of all parts so far; the first part's are the encoder's.
  const NamedTensors& outputs() const { return outputs_; }
  NamedTensors TakeOutputs() { return std::move(outputs_); }
  /// Of keys and values.
  size_t cache_bytes() const {
    return decoder_ ? decoder_->cache_bytes() : causal_ ? causal_->cache_bytes() : 0;
  }

 private:
  enum class Stage { kEncoder, kMemory, kDecoder };

  const Tensor& Memory() const;
  const RunPart* ToMemory();
  const RunPart* NextOfCausal(NamedTensors outputs);

  const CompiledModel& model_;
  const ModelPrograms& programs_;
  const NamedTensors& inputs_;
  Stage stage_ = Stage::kEncoder;
  RunPart part_;
  NamedTensors outputs_;
  std::optional<Tensor> ids_;
  std::optional<CachedDecoder> decoder_;
  std::optional<CausalRun> causal_;
};

/// Runs all parts with these options (the states are the run's own) and returns all outputs.
NamedTensors RunParts(ModelRun& run, Context& context, RunOptions options = {});

/// Values of the shapes that a plan gives, to reach the parts behind it without running it.
NamedTensors BlankOutputs(const Plan& plan);

}  // namespace vernier
