// A dump or another side on file as the reference of a run on the spot.
#pragma once

#include <map>

#include "verify/given_values.h"
#include "verify/tensor_source.h"

namespace vernier {

/// Tensors of a source by name and alias. The source must outlive it.
class FiledTensors final : public GivenTensors {
 public:
  explicit FiledTensors(const TensorSource& source);

  std::vector<std::string> Names() const override;
  bool Has(std::string_view name) const override { return places_.contains(name); }
  Shape ShapeOf(std::string_view name) const override;
  Tensor Read(std::string_view name) const override;

 private:
  const TensorSource& source_;
  std::map<std::string, size_t, std::less<>> places_;
};

}  // namespace vernier
