// What a task makes of a model's outputs: labels with probabilities, cosines between embeddings.
// Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vernier/tensor.h"

namespace vernier {

struct LabelScore {
  std::string label;
  int64_t index = 0;
  double probability = 0;
};

/// The `count` most probable labels of one row of logits, falling; equal ones by index. A label
/// without a name is called LABEL_<index>.
std::vector<LabelScore> TopLabels(std::span<const float> logits,
                                  const std::vector<std::string>& names, int64_t count);

/// Cosine between two vectors in double precision; 0 when one of them is zero.
double Cosine(std::span<const float> a, std::span<const float> b);

/// Joins tensors of equal shape but for their first axis.
Tensor Stacked(std::span<const Tensor> parts);

/// One entry of the first axis, as a view.
TensorView Row(const Tensor& tensor, int64_t index);

}  // namespace vernier
