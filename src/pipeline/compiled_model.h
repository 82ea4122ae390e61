// A model folder that was read and compiled: what a session runs, and what comparisons look into.
// The program and its plans borrow from this object. Thread-compatible; programs are immutable.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "backends/backend.h"
#include "pipeline/cached_decoder.h"
#include "pipeline/loaded_model.h"
#include "runtime/program.h"
#include "vernier/session.h"

namespace vernier {

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
  const Program& program() const { return *program_; }
  const WeightStore& weights() const { return *weights_; }
  const SessionSeconds& seconds() const { return seconds_; }

  /// The same weights under other precision rules.
  std::shared_ptr<const Program> Compile(const PrecisionRules& rules) const;
  /// The writing half's programs, where the model has one.
  const DecoderPrograms* decoder() const { return decoder_ ? &*decoder_ : nullptr; }
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
  std::shared_ptr<const Program> program_;
  std::optional<DecoderPrograms> decoder_;
};

}  // namespace vernier
