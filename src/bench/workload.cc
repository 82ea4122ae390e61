#include "bench/workload.h"

#include <fmt/format.h>

#include <random>

#include "core/sha256.h"

namespace vernier {
namespace {

// Noise in the range of normalised pictures: timings do not depend on the values, and denormal or
// constant inputs would be special.
NamedTensors NoisePictures(const ModelInfo& info, int64_t batch) {
  Tensor pixels(DType::kF32, {batch, 3, info.height, info.width});
  std::mt19937_64 random(1);
  for (float& value : pixels.as<float>()) {
    value = static_cast<float>(random() >> 40) / static_cast<float>(1 << 23) - 1.0f;
  }
  NamedTensors inputs;
  inputs.emplace("pixel_values", std::move(pixels));
  return inputs;
}

}  // namespace

std::string HashOf(const NamedTensors& tensors) {
  Sha256 hash;
  for (const auto& [name, tensor] : tensors) {
    hash.Update(fmt::format("{} {} {}\n", name, Name(tensor.dtype()), tensor.shape().ToString()));
    hash.Update(std::span(static_cast<const std::byte*>(tensor.data()), tensor.bytes()));
  }
  return hash.Finish();
}

Workload::Workload(Session& session, int64_t batch)
    : session_(&session), batch_(batch), inputs_(NoisePictures(session.info(), batch)) {}

}  // namespace vernier
