#include "verify/filed_tensors.h"

namespace vernier {

FiledTensors::FiledTensors(const TensorSource& source) : source_(source) {
  const auto& tensors = source_.tensors();
  for (size_t i = 0; i < tensors.size(); ++i) places_.emplace(tensors[i].facts.name, i);
  // Names go before aliases, whoever comes first.
  for (size_t i = 0; i < tensors.size(); ++i) {
    for (const std::string& alias : tensors[i].aliases) places_.emplace(alias, i);
  }
}

std::vector<std::string> FiledTensors::Names() const {
  std::vector<std::string> names;
  for (const SourceTensor& tensor : source_.tensors()) names.push_back(tensor.facts.name);
  return names;
}

Shape FiledTensors::ShapeOf(std::string_view name) const {
  return source_.tensors()[places_.find(name)->second].facts.shape;
}

Tensor FiledTensors::Read(std::string_view name) const {
  const LoadedTensor loaded = source_.Load(places_.find(name)->second);
  Tensor tensor = Tensor::CopyOf(loaded.view());
  loaded.CheckIntact();
  return tensor;
}

}  // namespace vernier
