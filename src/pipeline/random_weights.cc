#include "pipeline/random_weights.h"

#include <algorithm>
#include <cmath>

namespace vernier {
namespace {

constexpr float kDeviation = 0.02f;         // initializer_range of ViT and most transformers
constexpr float kResidualGain = 0.2f;       // so that sums over many blocks stay of one size
constexpr float kRareClass = -4.59511985f;  // FCOS's prior: log(0.01 / 0.99)
constexpr float kBoxSide = 4.0f;            // in strides: half of what FCOS's levels are made for
constexpr float kLayerScale = 0.1f;         // ls_init_value of PE-Lang

// SplitMix64 (Steele, Lea, Flood 2014): a counter in, 64 mixed bits out, so that any element can be
// drawn alone.
uint64_t Mixed(uint64_t counter) {
  uint64_t z = counter * 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

uint64_t Hash(const std::string& name, uint64_t seed) {
  uint64_t hash = Mixed(seed + 1);
  for (char c : name) hash = Mixed(hash ^ static_cast<unsigned char>(c));
  return hash;
}

// The sum of four uniform 16-bit numbers is near enough to normal, and takes one draw.
float NearNormal(uint64_t bits) {
  const auto part = [&](int shift) { return static_cast<float>(bits >> shift & 0xFFFF); };
  constexpr float kMean = 4 * 65535 / 2.0f;
  // Four times the variance of a uniform number on 0..65535.
  const float deviation = std::sqrt(4.0f / 12.0f) * 65536.0f;
  return (part(0) + part(16) + part(32) + part(48) - kMean) / deviation;
}

bool IsNormWeight(const std::string& name) {
  if (!name.ends_with(".weight")) return false;
  const std::string module = name.substr(0, name.size() - 7);
  const std::string last = module.substr(module.rfind('.') + 1);
  return last.starts_with("ln_") || last.find("norm") != std::string::npos;
}

bool IsBias(const std::string& name) { return name.ends_with("bias"); }

bool IsDetectors(const std::string& name) {
  for (const char* part : {"backbone.", "basis_module.", "proposal_generator.", "top_layer."}) {
    if (name.starts_with(part)) return true;
  }
  return false;
}

// The last norm before a residual is added.
bool EndsBlock(const std::string& name) {
  return name.ends_with(".conv3.norm.weight") || name.ends_with(".bn2.weight");
}

// Such that ReLU networks neither grow nor fade: sqrt(2 / products in a sum).
float Deviation(const std::string& name, const Shape& shape) {
  if (!IsDetectors(name) || shape.rank() != 4) return kDeviation;
  return std::sqrt(2.0f / static_cast<float>(std::max<int64_t>(1, shape[1] * shape[2] * shape[3])));
}

bool IsLayerScale(const std::string& name) { return name.find("gamma") != std::string::npos; }

}  // namespace

Shape WeightShape(const ValueInfo& weight) {
  if (weight.stored_shape.rank() > 0) return weight.stored_shape;
  std::vector<int64_t> dims;
  for (int axis = 0; axis < weight.type.rank(); ++axis) {
    dims.push_back(weight.type.dim(axis).constant());
  }
  return Shape(dims);
}

Tensor RandomWeight(const std::string& name, const Shape& shape, uint64_t seed) {
  Tensor tensor(DType::kF32, shape);
  const auto values = tensor.as<float>();
  const bool gain =
      IsNormWeight(name) || (IsDetectors(name) && shape.rank() == 1 && name.ends_with(".weight"));
  if (gain || name.ends_with("running_var") || name.ends_with(".scale")) {
    std::ranges::fill(values, 1.0f);
    if (EndsBlock(name)) std::ranges::fill(values, kResidualGain);
  } else if (name.ends_with("cls_logits.bias")) {
    std::ranges::fill(values, kRareClass);
  } else if (name.ends_with("bbox_pred.bias")) {
    std::ranges::fill(values, kBoxSide);
  } else if (name.ends_with("running_mean")) {
    std::ranges::fill(values, 0.0f);
  } else if (IsBias(name)) {
    std::ranges::fill(values, 0.0f);
  } else if (IsLayerScale(name)) {
    std::ranges::fill(values, kLayerScale);
  } else {
    const uint64_t base = Hash(name, seed);
    const float deviation = Deviation(name, shape);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = deviation * NearNormal(Mixed(base + i + 1));
    }
  }
  return tensor;
}

}  // namespace vernier
