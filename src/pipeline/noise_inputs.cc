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
  int32_t NextBelow(int64_t bound) {
    return static_cast<int32_t>(random_() % static_cast<uint64_t>(bound));
  }
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

// The grid of a picture of about `patches` patches that is as square as can be.
OcrGrid NoiseGrid(int64_t patches, int64_t merge) {
  const int64_t tokens = std::max<int64_t>(1, patches / (merge * merge));
  auto rows = static_cast<int64_t>(std::sqrt(static_cast<double>(tokens)));
  while (tokens % rows != 0) --rows;
  return {rows * merge, tokens / rows * merge, merge};
}

// A picture of noise in each row, between as much text as a task's prompt has.
NamedTensors NoiseChats(const LoadedModel& model, const NoiseOptions& options) {
  constexpr int64_t kTextBefore = 6, kTextBehind = 9;
  const PicturePlaces& places = model.causal->places;
  const OcrGrid grid =
      NoiseGrid(options.patches > 0 ? options.patches : model.info.patches, places.merge);
  const int64_t batch = options.batch, side = model.chats->processor->config().patch_size;
  const Graph& text = model.causal->step;
  const int64_t vocab = text.value(text.outputs().front().value).type.dim(-1).constant();
  Noise noise(options.seed);
  NamedTensors inputs;
  inputs.emplace(kPixelValues, NoisePictures({batch * grid.patches(), 3, side, side}, noise));
  Tensor grids(DType::kI32, {batch, 3});
  Tensor ids(DType::kI32, {batch, kTextBefore + grid.tokens() + kTextBehind});
  int32_t* id = ids.as<int32_t>().data();
  for (int64_t row = 0; row < batch; ++row) {
    const int64_t sizes[] = {1, grid.rows, grid.columns};
    std::ranges::copy(sizes, grids.as<int32_t>().begin() + 3 * row);
    const auto write_text = [&](int64_t count) {
      for (int64_t i = 0; i < count; ++i) {
        const int32_t token = noise.NextBelow(vocab - 1);
        *id++ = token < places.image_token_id ? token : token + 1;
      }
    };
    write_text(kTextBefore);
    id = std::fill_n(id, grid.tokens(), places.image_token_id);
    write_text(kTextBehind);
  }
  inputs.emplace(kImageGrids, std::move(grids));
  inputs.emplace(kInputIds, std::move(ids));
  return inputs;
}

}  // namespace

NamedTensors NoiseInputs(const LoadedModel& model, const NoiseOptions& options) {
  if (model.causal) return NoiseChats(model, options);
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
