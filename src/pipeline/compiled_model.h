// A model folder that was read and compiled: what a session runs, and what comparisons look into.
// The program and its plans borrow from this object. Thread-compatible; programs are immutable.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "backends/backend.h"
#include "pipeline/cached_decoder.h"
#include "pipeline/causal_programs.h"
#include "pipeline/loaded_model.h"
#include "runtime/program.h"
#include "vernier/session.h"

namespace vernier {

/// A model's graphs, compiled under one set of rules.
struct ModelPrograms {
  std::shared_ptr<const Program> encoder;  // of pictures; of most models all there is
  std::optional<DecoderPrograms> decoder;  // the writing half, where the model has one
  std::optional<CausalPrograms> causal;    // the language model, where there is one
  std::shared_ptr<const Program> top;      // a detector's top layer at chosen locations
};

/// One of them under its part's name, as RunPart has it.
struct NamedProgram {
  std::string part;
  const Program* program;
};
/// In the order of a run. The decoder is shown by its form with logits behind every token; the
/// other differs by a slice.
std::vector<NamedProgram> PartsOf(const ModelPrograms& programs);

class CompiledModel {
 public:
  /// Reads and compiles. Throws Error{kInput} for a folder that cannot be used, Error{kDevice} for
  /// a device that is not there or cannot run a node.
  explicit CompiledModel(const SessionOptions& options);
  CompiledModel(const CompiledModel&) = delete;
  CompiledModel& operator=(const CompiledModel&) = delete;

  /// The options with what was left open filled in.
  const SessionOptions& options() const { return options_; }
  const LoadedModel& model() const { return model_; }
  const ModelFolder& folder() const { return folder_; }
  const ModelPrograms& programs() const { return programs_; }
  const Program& program() const { return *programs_.encoder; }
  const WeightStore& weights() const { return *weights_; }
  const SessionSeconds& seconds() const { return seconds_; }

  /// The same weights under other precision rules.
  ModelPrograms Compile(const PrecisionRules& rules) const;
  /// The rules that the options ask for.
  const PrecisionRules& rules() const { return rules_; }

  /// The program's plan for these inputs; throws Error{kInput} for one that is missing or does not
  /// fit. `program` is one of this model's own.
  std::shared_ptr<const Plan> Bind(const Program& program, const NamedTensors& inputs) const;

 private:
  const Backend& backend() const;
  std::shared_ptr<const Program> Compile(const Graph& graph, const PrecisionRules& rules) const;
  void WarnAboutValues();
  void CheckInput(const ValueInfo& info, const Tensor& tensor) const;

  SessionOptions options_;
  std::chrono::steady_clock::time_point start_;
  SessionSeconds seconds_;
  ModelFolder folder_;
  LoadedModel model_;
  std::unique_ptr<Backend> backend_;  // null for the reference, which is a constant
  std::shared_ptr<WeightStore> weights_;
  PrecisionRules rules_;
  ModelPrograms programs_;
};

}  // namespace vernier
