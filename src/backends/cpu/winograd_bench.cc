// 3x3 convolutions of BlendMask's R-50 at 640x640, and narrow ones, by Winograd's form and by
// windows. Several copies of the weights take turns, as layers do in a network, so that they come
// from memory. "GFLOP/s" counts the operations of the direct sum for both.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>
#include <vector>

#include "backends/cpu/conv_form.h"
#include "core/float_types.h"
#include "core/parallel.h"

namespace vernier {
namespace {

struct Layer {
  int64_t side, in, out;
};

constexpr Layer kLayers[] = {
    {160, 64, 64},  {80, 128, 128}, {40, 256, 256}, {20, 512, 512}, {80, 256, 256}, {20, 256, 256},
    {10, 256, 256}, {5, 256, 256},  {80, 256, 80},  {80, 256, 4},   {80, 16, 16},   {80, 32, 32},
    {80, 16, 64},   {80, 64, 16},   {20, 16, 16},   {20, 32, 32},   {20, 64, 64},   {5, 64, 64}};

constexpr size_t kWeightBytes = size_t{96} << 20;  // beyond the last-level cache of most CPUs
constexpr size_t kMostCopies = 64;

Tensor RandomMap(const Shape& shape, DType dtype) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform;
  Tensor map(dtype, shape);
  for (size_t i = 0; i < static_cast<size_t>(shape.elements()); ++i) {
    const float value = uniform(random);
    if (dtype == DType::kF32) {
      map.as<float>()[i] = value;
    } else {
      map.as<uint16_t>()[i] = ToBf16(value);
    }
  }
  return map;
}

void RunLayer(benchmark::State& state, Layer layer, DType dtype, bool winograd, int threads) {
  const Isa isa = Cpu().best();
  const ConvDesc desc{.conv = {.stride = 1, .padding = 1},
                      .activation = Activation::kRelu,
                      .in = layer.in,
                      .out = layer.out,
                      .kernel_height = 3,
                      .kernel_width = 3,
                      .x = dtype,
                      .weight = dtype,
                      .x_layout = Layout::kChannelsLast,
                      .y_layout = Layout::kChannelsLast,
                      .isa = isa};
  const auto form = winograd ? MakeWinogradConv(desc) : MakeWindowsConv(desc);
  const Tensor filters = RandomMap(Shape{layer.out, layer.in, 3, 3}, DType::kF32);
  const size_t bias_offset = (form->packed_bytes() + 63) / 64 * 64;
  HugePagePool pool;
  std::vector<ConvWeights> weights;
  while (weights.size() < kMostCopies && weights.size() * bias_offset < kWeightBytes) {
    const auto bytes = std::make_shared<WeightBytes>(
        bias_offset + static_cast<size_t>(layer.out) * sizeof(float), pool);
    form->Pack(filters.as<float>(), bytes->data(), AvailableThreads());
    weights.emplace_back(bytes, bias_offset);
  }
  const Tensor x = RandomMap(Shape{1, layer.in, layer.side, layer.side}, dtype);
  Tensor y = RandomMap(Shape{1, layer.out, layer.side, layer.side}, dtype);
  const TensorArg inputs[] = {TensorArg::Of(x.view(), Layout::kChannelsLast)};
  const TensorArg outputs[] = {TensorArg::Of(y.view(), Layout::kChannelsLast)};
  std::vector<std::unique_ptr<Kernel>> kernels;
  for (const ConvWeights& copy : weights) {
    kernels.push_back(form->Bind(copy, {.inputs = inputs, .outputs = outputs, .threads = threads}));
  }
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(kernels[0]->scratch_bytes() + 1)});
  size_t turn = 0;
  for (auto _ : state) {
    kernels[turn++ % kernels.size()]->Run(
        {.inputs = inputs, .outputs = outputs, .scratch = scratch.data(), .threads = threads});
  }
  const double pixels = static_cast<double>(layer.side * layer.side);
  state.SetLabel(kernels[0]->info().kernel);
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * 9.0 * pixels * static_cast<double>(layer.in * layer.out),
                         benchmark::Counter::kIsIterationInvariantRate);
}

const bool kRegistered = [] {
  for (const int threads : {1, AvailableThreads()}) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      for (const Layer& layer : kLayers) {
        for (const bool winograd : {false, true}) {
          const std::string name =
              fmt::format("{}x{}x{}to{}/{}/{}/threads:{}", layer.side, layer.side, layer.in,
                          layer.out, Name(dtype), winograd ? "winograd" : "windows", threads);
          benchmark::RegisterBenchmark(name.c_str(), RunLayer, layer, dtype, winograd, threads)
              ->UseRealTime()
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace vernier
