// Linear layers of ViT-B/16 (M = 197), PE-Lang-L14-448 (M = 1025), Pix2Struct-base (M = 2048) and
// PaddleOCR-VL (M = 784, 211 and 1, which memory binds): our kernels and oneDNN's on the same
// packed weights. Several copies of the weights take turns, as layers do in a network, so that they
// come from memory. The counter is 10^9 floating-point operations a second.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <vector>

#include "backends/cpu/gemm.h"
#include "core/parallel.h"

namespace vernier {
namespace {

struct Layer {
  int64_t m, n, k;
  Activation activation;
  bool residual;
  bool gated = false;  // half of n are gates
};

constexpr Layer kLayers[] = {
    {197, 768, 768, Activation::kNone, true},
    {197, 2304, 768, Activation::kNone, false},
    {197, 3072, 768, Activation::kGeluErf, false},
    {197, 768, 3072, Activation::kNone, true},
    {1025, 1024, 1024, Activation::kNone, true},
    {1025, 3072, 1024, Activation::kNone, false},
    {1025, 4096, 1024, Activation::kGeluErf, false},
    {1025, 1024, 4096, Activation::kNone, true},
    {2048, 768, 768, Activation::kNone, true},
    {2048, 2304, 768, Activation::kNone, false},
    {2048, 768, 2048, Activation::kNone, true},
    {2048, 4096, 768, Activation::kGeluTanh, false, true},
    {784, 1152, 1152, Activation::kNone, true},
    {784, 3456, 1152, Activation::kNone, false},
    {784, 4304, 1152, Activation::kGeluTanh, false},
    {784, 1152, 4304, Activation::kNone, true},
    {211, 2560, 1024, Activation::kNone, false},
    {211, 6144, 1024, Activation::kSilu, false, true},
    {1, 2560, 1024, Activation::kNone, false},
    {1, 1024, 2048, Activation::kNone, true},
    {1, 6144, 1024, Activation::kSilu, false, true},
    {1, 1024, 3072, Activation::kNone, true},
    {1, 103424, 1024, Activation::kNone, false},
};

constexpr size_t kWeightBytes = size_t{96} << 20;  // beyond the last-level cache of most CPUs

void RunLayer(benchmark::State& state, Layer layer, DType dtype, DType weight, Isa isa,
              GemmProvider provider) {
  const int threads = AvailableThreads();
  const PackedLayout layout = PackedLayoutFor(isa, weight, layer.n, layer.k);
  const Tensor rows = Tensor::Zeros(DType::kF32, Shape{layer.n, layer.k});
  const PackSource source = {.data = rows.data(), .n = layer.n, .row_stride = layer.k};
  std::vector<Tensor> weights;
  for (size_t bytes = 0; bytes < kWeightBytes; bytes += layout.bytes()) {
    weights.emplace_back(DType::kU8, Shape{static_cast<int64_t>(layout.bytes())});
    PackWeights(layout, std::span(&source, 1), weights.back().data(), threads);
  }
  const Tensor a = Tensor::Zeros(dtype, Shape{layer.m, layer.k});
  const Tensor bias = Tensor::Zeros(DType::kF32, Shape{layer.n});
  // The residual stream stays fp32.
  Tensor c = Tensor::Zeros(layer.residual ? DType::kF32 : dtype, Shape{layer.m, layer.n});
  const Tensor residual = Tensor::Zeros(DType::kF32, Shape{layer.m, layer.n});
  const Gemm gemm({.m = layer.m,
                   .weights = layout,
                   .a = dtype,
                   .a_stride = layer.k,
                   .c = c.dtype(),
                   .c_stride = layer.n,
                   .bias = !layer.gated,
                   .activation = layer.activation,
                   .gated_columns = layer.gated ? layer.n / 2 : 0,
                   .residual = layer.residual,
                   .residual_stride = layer.n,
                   .isa = isa,
                   .threads = threads},
                  provider);
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(gemm.scratch_bytes())});
  size_t turn = 0;
  for (auto _ : state) {
    gemm.Run({.a = a.data(),
              .weights = weights[turn++ % weights.size()].data(),
              .c = c.data(),
              .bias = bias.as<float>().data(),
              .residual = layer.residual ? residual.as<float>().data() : nullptr,
              .scratch = scratch.data()});
  }
  const double operations = 2.0 * static_cast<double>(layer.m * layer.n * layer.k);
  state.SetLabel(gemm.kernel_name());
  state.counters["GFLOP/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void Register(const Layer& layer, DType dtype, DType weight, Isa isa, GemmProvider provider) {
  const std::string name =
      fmt::format("{}/{}x{}x{}/{}/{}/{}", provider == GemmProvider::kOnednn ? "onednn" : "vernier",
                  layer.m, layer.n, layer.k, Name(dtype), Name(weight), Name(isa));
  benchmark::RegisterBenchmark(name.c_str(), RunLayer, layer, dtype, weight, isa, provider)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

const bool kRegistered = [] {
  for (const Layer& layer : kLayers) {
    for (DType dtype : {DType::kF32, DType::kBF16}) {
      for (DType weight : {dtype, DType::kI8}) {
        for (Isa isa : Cpu().isas) Register(layer, dtype, weight, isa, GemmProvider::kVernier);
      }
      const Isa needed = dtype == DType::kF32 ? Isa::kAvx512 : Isa::kAvx512Bf16;
      const bool onednn = HasOnednn() && Cpu().Has(needed) && !layer.gated;
      if (onednn) Register(layer, dtype, dtype, Cpu().best(), GemmProvider::kOnednn);
    }
  }
  return true;
}();

}  // namespace
}  // namespace vernier
