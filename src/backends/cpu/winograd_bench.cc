// 3x3 convolutions of BlendMask's R-50 at 640x640 by Winograd's forms. Several copies of the
// weights take turns, as layers do in a network, so that they come from memory. "GFLOP/s" counts
// the operations of the direct form, so that forms compare; the direct form's bound is the peak
// that kernels/cpu/gemm.h states.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>
#include <vector>

#include "backends/cpu/winograd_conv.h"
#include "core/float_types.h"
#include "core/parallel.h"

namespace vernier {
namespace {

struct Layer {
  int64_t side, in, out;
};

constexpr Layer kLayers[] = {{160, 64, 64},  {80, 128, 128}, {40, 256, 256}, {20, 512, 512},
                             {80, 256, 256}, {20, 256, 256}, {10, 256, 256}, {5, 256, 256}};

struct Variant {
  const char* name;
  WinogradForm form;
  DType product;
  Element map;
};

constexpr Variant kVariants[] = {
    {"f4_f32", WinogradForm::kF4, DType::kF32, Element::kF32},
    {"f2_f32", WinogradForm::kF2, DType::kF32, Element::kF32},
    {"f4_f32_of_bf16", WinogradForm::kF4, DType::kF32, Element::kBf16},
    {"f2_bf16", WinogradForm::kF2, DType::kBF16, Element::kBf16},
};

constexpr size_t kWeightBytes = size_t{96} << 20;  // beyond the last-level cache of most CPUs

Tensor RandomMap(int64_t values, Element element) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform;
  Tensor map(element == Element::kF32 ? DType::kF32 : DType::kBF16, Shape{values});
  for (int64_t i = 0; i < values; ++i) {
    const float value = uniform(random);
    if (element == Element::kF32) {
      map.as<float>()[static_cast<size_t>(i)] = value;
    } else {
      static_cast<uint16_t*>(map.data())[i] = ToBf16(value);
    }
  }
  return map;
}

void RunLayer(benchmark::State& state, Layer layer, Variant variant, Isa isa, int threads) {
  const WinogradLayout layout =
      WinogradLayoutFor(isa, variant.form, variant.product, layer.out, layer.in);
  const Tensor filters = RandomMap(layer.out * layer.in * 9, Element::kF32);
  std::vector<Tensor> weights;
  for (size_t bytes = 0; bytes < kWeightBytes; bytes += layout.bytes()) {
    weights.emplace_back(DType::kU8, Shape{static_cast<int64_t>(layout.bytes())});
    PackWinograd(layout, filters.as<float>().data(), weights.back().data(), AvailableThreads());
  }
  const int64_t pixels = layer.side * layer.side;
  const Tensor x = RandomMap(pixels * layer.in, variant.map);
  Tensor y = RandomMap(pixels * layer.out, variant.map);
  const Tensor bias = RandomMap(layer.out, Element::kF32);
  const WinogradConv conv({.weights = layout,
                           .batch = 1,
                           .height = layer.side,
                           .width = layer.side,
                           .x = variant.map,
                           .x_stride = layer.in,
                           .y = variant.map,
                           .y_stride = layer.out,
                           .relu = true,
                           .isa = isa,
                           .threads = threads});
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(conv.scratch_bytes())});
  size_t turn = 0;
  for (auto _ : state) {
    conv.Run({.x = x.data(),
              .weights = weights[turn++ % weights.size()].data(),
              .bias = bias.as<float>().data(),
              .y = y.data(),
              .scratch = scratch.data()});
  }
  const double operations = 2.0 * 9.0 * static_cast<double>(pixels * layer.in * layer.out);
  state.counters["GFLOP/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

const bool kRegistered = [] {
  for (const int threads : {1, AvailableThreads()}) {
    for (const Layer& layer : kLayers) {
      for (const Variant& variant : kVariants) {
        const std::string name =
            fmt::format("{}x{}x{}to{}/{}/{}/{}", layer.side, layer.side, layer.in, layer.out,
                        variant.name, Name(Cpu().best()), threads);
        benchmark::RegisterBenchmark(name.c_str(), RunLayer, layer, variant, Cpu().best(), threads)
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace vernier
