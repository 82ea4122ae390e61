// Convolutions of BlendMask's R-50 at 640x640 as products of windows or pixels, beside the product
// of the same size alone: what windows, bias, residual, ReLU and stores cost. Several copies of the
// weights take turns, as layers do in a network, so that they come from memory.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>
#include <vector>

#include "backends/cpu/conv_form.h"
#include "backends/cpu/gemm.h"
#include "core/float_types.h"
#include "core/parallel.h"

namespace vernier {
namespace {

struct Layer {
  const char* name;
  int64_t side, in, out, kernel, stride;
  bool residual = false;
  Layout x = Layout::kChannelsLast;
};

constexpr Layer kLayers[] = {
    {"stem", 640, 3, 64, 7, 2, false, Layout::kRowMajor},
    {"res2.conv1", 160, 256, 64, 1, 1},
    {"res2.conv3", 160, 64, 256, 1, 1, true},
    {"res3.shortcut", 160, 256, 512, 1, 2},
    {"res3.conv3", 80, 128, 512, 1, 1, true},
    {"res4.conv1", 40, 1024, 256, 1, 1},
    {"res4.conv3", 40, 256, 1024, 1, 1, true},
    {"res5.conv1", 20, 2048, 512, 1, 1},
    {"fpn_lateral3", 80, 512, 256, 1, 1},
    {"tower 3x3", 80, 256, 256, 3, 1},
    {"cls_logits", 80, 256, 80, 3, 1},
    {"bbox_pred", 80, 256, 4, 3, 1},
    {"p6", 20, 256, 256, 3, 2},
};

constexpr size_t kWeightBytes = size_t{96} << 20;  // beyond the last-level cache of most CPUs

Tensor RandomMap(const Shape& shape, DType dtype) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-0.5f, 0.5f);
  Tensor map(dtype, shape);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    const float value = uniform(random);
    if (dtype == DType::kF32) {
      map.as<float>()[static_cast<size_t>(i)] = value;
    } else {
      static_cast<uint16_t*>(map.data())[i] = ToBf16(value);
    }
  }
  return map;
}

int64_t OutSide(const Layer& layer) {
  return (layer.side + layer.kernel / 2 * 2 - layer.kernel) / layer.stride + 1;
}

void CountOperations(benchmark::State& state, const Layer& layer) {
  const int64_t window = layer.in * layer.kernel * layer.kernel;
  const int64_t pixels = OutSide(layer) * OutSide(layer);
  const double operations = 2.0 * static_cast<double>(pixels * layer.out * window);
  state.counters["GFLOP/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void RunConv(benchmark::State& state, const Layer& layer, DType dtype, int threads) {
  const ConvDesc desc{.conv = {.stride = layer.stride, .padding = layer.kernel / 2},
                      .activation = Activation::kRelu,
                      .residual = layer.residual,
                      .in = layer.in,
                      .out = layer.out,
                      .kernel_height = layer.kernel,
                      .kernel_width = layer.kernel,
                      .x = dtype,
                      .weight = dtype,
                      .x_layout = layer.x,
                      .y_layout = Layout::kChannelsLast,
                      .isa = Cpu().best()};
  const auto form = MakeWindowsConv(desc);
  const Tensor filters = RandomMap({layer.out, layer.in, layer.kernel, layer.kernel}, DType::kF32);
  const Tensor x = RandomMap({1, layer.in, layer.side, layer.side}, dtype);
  const Shape result{1, layer.out, OutSide(layer), OutSide(layer)};
  Tensor y = RandomMap(result, dtype);
  const Tensor residual = RandomMap(result, dtype);
  std::vector<TensorArg> inputs(FusedConv2d::kInputs);
  inputs[FusedConv2d::kX] = TensorArg::Of(x.view(), layer.x);
  if (layer.residual) {
    inputs[FusedConv2d::kResidual] = TensorArg::Of(residual.view(), Layout::kChannelsLast);
  }
  const TensorArg outputs[] = {TensorArg::Of(y.view(), Layout::kChannelsLast)};
  const size_t bias_offset = (form->packed_bytes() + 63) / 64 * 64;
  const size_t bytes = bias_offset + static_cast<size_t>(layer.out) * sizeof(float);
  HugePagePool pool;
  std::vector<std::unique_ptr<Kernel>> kernels;
  for (size_t all = 0; all < kWeightBytes || kernels.empty(); all += bytes) {
    auto packed = std::make_shared<WeightBytes>(bytes, pool);
    form->Pack(filters.as<float>(), packed->data(), AvailableThreads());
    kernels.push_back(
        form->Bind(ConvWeights(packed, bias_offset),
                   {.inputs = inputs, .outputs = outputs, .extents = {}, .threads = threads}));
    if (kernels.size() == 64) break;
  }
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(kernels[0]->scratch_bytes()) + 1});
  size_t turn = 0;
  for (auto _ : state) {
    kernels[turn++ % kernels.size()]->Run(
        {.inputs = inputs, .outputs = outputs, .scratch = scratch.data(), .threads = threads});
  }
  CountOperations(state, layer);
}

// The product alone: no windows, bias, residual or ReLU.
void RunProduct(benchmark::State& state, const Layer& layer, DType dtype, int threads) {
  const int64_t m = OutSide(layer) * OutSide(layer), k = layer.in * layer.kernel * layer.kernel;
  const PackedLayout layout = PackedLayoutFor(Cpu().best(), dtype, layer.out, k);
  const Tensor weights = RandomMap({layer.out, k}, DType::kF32), a = RandomMap({m, k}, dtype);
  Tensor packed(DType::kU8, Shape{static_cast<int64_t>(layout.bytes())});
  Tensor c = RandomMap({m, layer.out}, dtype);
  const PackSource source{
      .data = weights.data(), .dtype = DType::kF32, .n = layer.out, .row_stride = k};
  PackWeights(layout, {&source, 1}, packed.data(), threads);
  const Gemm gemm({.m = m,
                   .weights = layout,
                   .a = dtype,
                   .a_stride = k,
                   .c = dtype,
                   .c_stride = layer.out,
                   .isa = Cpu().best(),
                   .threads = threads});
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(gemm.scratch_bytes()) + 1});
  for (auto _ : state) {
    gemm.Run({.a = a.data(), .weights = packed.data(), .c = c.data(), .scratch = scratch.data()});
  }
  CountOperations(state, layer);
}

const bool kRegistered = [] {
  for (const int threads : {1, AvailableThreads()}) {
    for (const Layer& layer : kLayers) {
      for (const DType dtype : {DType::kF32, DType::kBF16}) {
        const std::string name = fmt::format("{}/{}/{}", layer.name, Name(dtype), threads);
        benchmark::RegisterBenchmark((name + "/conv").c_str(), RunConv, layer, dtype, threads)
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
        benchmark::RegisterBenchmark((name + "/product").c_str(), RunProduct, layer, dtype, threads)
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace vernier
