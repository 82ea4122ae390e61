// Small graphs and in-memory weights for tests of passes, programs and contexts.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "backends/weight_store.h"
#include "graph/graph.h"

namespace vernier::testing {

/// Values that look random, are the same everywhere, and lie within ±scale.
inline Tensor Wave(const Shape& shape, double seed, double scale = 1.0) {
  Tensor tensor(DType::kF32, shape);
  double x = seed;
  for (float& value : tensor.as<float>()) {
    x += 1.0;
    value = static_cast<float>(scale * std::sin(x * x * 0.7 + seed));
  }
  return tensor;
}

/// Weights for every weight of `graph`, made of waves; gains (names ending in "weight" of rank 1)
/// and variances lie around one.
class ToyWeights {
 public:
  explicit ToyWeights(const Graph& graph) {
    for (int id : graph.weights()) {
      const ValueInfo& info = graph.value(id);
      Tensor tensor = Wave(info.stored_shape, 1.0 + id, 0.3);
      const bool gain = info.stored_shape.rank() == 1 && info.name.ends_with("weight");
      if (gain || info.name.ends_with("running_var")) {
        for (float& value : tensor.as<float>()) value += 1.0f;
      }
      tensors_->emplace(info.name, std::move(tensor));
    }
  }

  std::shared_ptr<WeightStore> Store() const {
    return std::make_shared<WeightStore>(WeightStore::Source{
        .view = [tensors = tensors_](const std::string& name) { return tensors->at(name).view(); },
        .release = {}});
  }

 private:
  std::shared_ptr<std::map<std::string, Tensor>> tensors_ =
      std::make_shared<std::map<std::string, Tensor>>();
};

}  // namespace vernier::testing
