#include "pipeline/noise_inputs.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "core/check.h"

namespace vernier {
namespace {

// In the range of normalised pictures.
class Noise {
 public:
  explicit Noise(uint64_t seed) : random_(seed) {}
  float Next() { return static_cast<float>(random_() >> 40) / static_cast<float>(1 << 23) - 1.0f; }

 private:
  std::mt19937_64 random_;
};

Tensor NoisePictures(const Shape& shape, Noise& noise) {
  Tensor pictures(DType::kF32, shape);
  for (float& value : pictures.as<float>()) value = noise.Next();
  return pictures;
}

// Each patch begins with its row and column, counted from 1, of a page about as high as wide.
Tensor NoisePatches(const Shape& shape, Noise& noise) {
  Tensor patches = NoisePictures(shape, noise);
  const int64_t per_picture = shape[1], width = shape[2];
  const auto columns = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(per_picture))));
  float* patch = patches.as<float>().data();
  for (int64_t i = 0; i < shape[0] * per_picture; ++i, patch += width) {
    const int64_t place = i % per_picture;
    patch[0] = static_cast<float>(place / columns + 1);
    patch[1] = static_cast<float>(place % columns + 1);
  }
  return patches;
}

}  // namespace

NamedTensors NoiseInputs(const LoadedModel& model, const NoiseOptions& options) {
  const int64_t batch = options.batch;
  const int64_t patches = options.patches > 0 ? options.patches : model.info.patches;
  Noise noise(options.seed);
  NamedTensors inputs;
  for (int id : model.graph.inputs()) {
    const ValueInfo& input = model.graph.value(id);
    if (input.name == model.pictures.input && input.type.rank() == 4) {
      inputs.emplace(input.name,
                     NoisePictures({batch, 3, model.info.height, model.info.width}, noise));
    } else if (input.name == "flattened_patches") {
      const int64_t width = input.type.dim(-1).constant();
      inputs.emplace(input.name, NoisePatches({batch, patches, width}, noise));
    } else {
      VN_CHECK(input.name == "attention_mask", "no noise for input " + input.name);
      Tensor mask(DType::kF32, {batch, patches});
      std::ranges::fill(mask.as<float>(), 1.0f);
      inputs.emplace(input.name, std::move(mask));
    }
  }
  return inputs;
}

}  // namespace vernier
