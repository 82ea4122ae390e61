#include "verify/self_runner.h"

#include <algorithm>

#include "pipeline/model_run.h"

namespace vernier {

NamedTensors SettingRunner::operator()(const NamedTensors& inputs, const SelfRun& how) {
  if (how.cold) return Run(*Load(how.threads), inputs);
  return Run(Loaded(how.threads), inputs);
}

bool SettingRunner::PromisesBits(const NamedTensors& inputs) {
  ModelRun run(model(), model().programs(), inputs);
  const auto is_foreign = [](const Step& step) { return step.kernel->info().provider == "onednn"; };
  for (const RunPart* part = &run.First(); part != nullptr;) {
    if (std::ranges::any_of(part->plan->steps(), is_foreign)) return false;
    part = run.Next(BlankOutputs(*part->plan));
  }
  return true;
}

std::unique_ptr<SettingRunner::Instance> SettingRunner::Load(int threads) const {
  SessionOptions options = options_;
  if (threads > 0) options.threads = threads;
  auto instance = std::make_unique<Instance>();
  instance->model = std::make_unique<CompiledModel>(options);
  return instance;
}

SettingRunner::Instance& SettingRunner::Loaded(int threads) {
  auto& instance = loaded_[threads];
  if (!instance) instance = Load(threads);
  return *instance;
}

NamedTensors SettingRunner::Run(Instance& instance, const NamedTensors& inputs) {
  ModelRun run(*instance.model, instance.model->programs(), inputs);
  return RunParts(run, instance.context);
}

}  // namespace vernier
