#include "pipeline/checkpoint_weights.h"

#include <map>
#include <string>

#include "core/check.h"
#include "pipeline/random_weights.h"

namespace vernier {
namespace {

using MadeUp = std::map<std::string, Tensor>;

MadeUp DrawMissing(const LoadedModel& model, uint64_t seed) {
  MadeUp tensors;
  for (const std::string& name : model.made_up) {
    const ValueInfo& weight = model.graph.value(model.graph.Find(name));
    tensors.emplace(name, RandomWeight(name, WeightShape(weight), seed));
  }
  return tensors;
}

}  // namespace

std::shared_ptr<WeightStore> MakeWeightStore(const ModelFolder& folder, const LoadedModel& model,
                                             uint64_t seed) {
  const auto made_up = std::make_shared<const MadeUp>(DrawMissing(model, seed));
  const auto stored_name = [&model](const std::string& name) {
    const auto found = model.tensors.find(name);
    VN_CHECK(found != model.tensors.end(), "no weight " + name);
    return found->second->name;
  };
  return std::make_shared<WeightStore>(WeightStore::Source{
      .view = [made_up, stored_name, &folder](const std::string& name) -> TensorView {
        if (const auto drawn = made_up->find(name); drawn != made_up->end()) {
          return drawn->second.view();
        }
        return folder.checkpoint.View(stored_name(name));
      },
      .release =
          [made_up, stored_name, &folder](const std::string& name) {
            if (!made_up->contains(name)) folder.checkpoint.ReleasePages(stored_name(name));
          }});
}

}  // namespace vernier
