#include "verify/self_runner.h"

#include <algorithm>

#include "runtime/plan.h"

namespace vernier {

NamedTensors SettingRunner::operator()(const NamedTensors& inputs, const SelfRun& how) {
  if (how.cold) return Run(*Load(how.threads), inputs);
  return Run(Loaded(how.threads), inputs);
}

bool SettingRunner::PromisesBits(const NamedTensors& inputs) {
  const auto plan = model().Bind(model().program(), inputs);
  return std::ranges::none_of(
      plan->steps(), [](const Step& step) { return step.kernel->info().provider == "onednn"; });
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
  const CompiledModel& model = *instance.model;
  const auto plan = model.Bind(model.program(), inputs);
  NamedViews views;
  for (const auto& [name, tensor] : inputs) views.emplace(name, tensor.view());
  return instance.context.Run(*plan, views);
}

}  // namespace vernier
