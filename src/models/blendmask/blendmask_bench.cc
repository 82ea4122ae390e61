// What surrounds BlendMask's network: pictures to its input, its maps to instances' masks.
//   VERNIER_BENCH_PICTURE=photo.jpg blendmask_bench     decoding is timed with that file
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "models/blendmask/blend.h"
#include "models/blendmask/detections.h"
#include "models/blendmask/paste.h"
#include "models/blendmask/processor.h"

namespace vernier {
namespace {

void BM_Preprocess(benchmark::State& state) {
  const char* file = std::getenv("VERNIER_BENCH_PICTURE");
  if (file == nullptr) {
    state.SkipWithError("VERNIER_BENCH_PICTURE names no picture");
    return;
  }
  const BlendMaskProcessor processor({}, {.threads = static_cast<int>(state.range(0))});
  for (auto _ : state) {
    const Image image = DecodeImage(file);
    std::vector<float> out(static_cast<size_t>(processor.OutputShape(image).elements()));
    processor.Process(image, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_Preprocess)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

// Maps of a 640x640 picture with `hot` places of each level above the threshold.
struct Maps {
  explicit Maps(int64_t hot) {
    std::mt19937 random(1);
    const auto noise = [&](float low, float high) {
      return low + (high - low) * static_cast<float>(random() % 65536) / 65536.0F;
    };
    values.reserve(15);
    for (const int64_t stride : config.strides) {
      const int64_t side = (640 + stride - 1) / stride, places = side * side;
      std::vector<float>& cls = values.emplace_back(static_cast<size_t>(80 * places));
      for (float& value : cls) value = noise(-9, -5);
      for (int64_t i = 0; i < hot; ++i) cls[random() % cls.size()] = noise(0, 4);
      std::vector<float>& box = values.emplace_back(static_cast<size_t>(4 * places));
      for (float& value : box) value = noise(1, 8);
      std::vector<float>& ctr = values.emplace_back(static_cast<size_t>(places));
      for (float& value : ctr) value = noise(0, 3);
      levels.push_back({side, side, cls, box, ctr});
    }
    bases.resize(4 * 160 * 160);
    for (float& value : bases) value = noise(-3, 3);
    attention.resize(100 * 784);
    for (float& value : attention) value = noise(-2, 2);
    config.threshold_with_centerness = true;
  }

  BlendMaskConfig config;
  std::vector<std::vector<float>> values;
  std::vector<HeadMaps> levels;
  std::vector<float> bases, attention;
};

// All but the top layer: selection, blending and pasting of 100 detections into 640x640.
void BM_Postprocess(benchmark::State& state) {
  const Maps maps(400);
  const int threads = static_cast<int>(state.range(0));
  int64_t found = 0;
  for (auto _ : state) {
    const std::vector<Detection> detections =
        SelectDetections(maps.levels, maps.config, "benchmark", threads);
    const MaskBlender blender({160, 160, maps.bases}, maps.config);
    ParallelFor(threads, std::ssize(detections), 1, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        const auto box = BoxInPicture(detections[i].box, {640, 640}, {640, 640});
        if (!box) continue;
        const std::vector<float> logits =
            blender.Blend(detections[i].box, std::span(maps.attention).subspan(i * 784, 784));
        benchmark::DoNotOptimize(PasteMask(logits, 56, *box, {640, 640}));
      }
    });
    found = std::ssize(detections);
  }
  state.counters["detections"] = static_cast<double>(found);
}
BENCHMARK(BM_Postprocess)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vernier
