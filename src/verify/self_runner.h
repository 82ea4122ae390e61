// A setting as what self-checks run.
#pragma once

#include <map>
#include <memory>

#include "pipeline/compiled_model.h"
#include "runtime/context.h"
#include "verify/self_checks.h"

namespace vernier {

class SettingRunner {
 public:
  explicit SettingRunner(const SessionOptions& options) : options_(options) {}

  /// As a SelfRunner: loads the model once for each number of threads, and anew where it is to be
  /// cold.
  NamedTensors operator()(const NamedTensors& inputs, const SelfRun& how);

  /// With the setting's own number of threads.
  const CompiledModel& model() { return *Loaded(0).model; }
  /// Whether every kernel that runs these inputs promises the same bits whatever batch and threads:
  /// vernier's own do.
  bool PromisesBits(const NamedTensors& inputs);

 private:
  struct Instance {
    std::unique_ptr<CompiledModel> model;
    Context context;
  };
  std::unique_ptr<Instance> Load(int threads) const;
  Instance& Loaded(int threads);
  static NamedTensors Run(Instance& instance, const NamedTensors& inputs);

  SessionOptions options_;
  std::map<int, std::unique_ptr<Instance>> loaded_;  // by threads; 0: the setting's own
};

}  // namespace vernier
