// Attention of whole models: one layer of ViT-B/16, of PE-Lang-L14-448, of PaddleOCR-VL's encoder
// (rotated) and as wide as its decoder's heads, from the columns of a fused query-key-value tensor.
// Arguments: tokens, heads, head_dim, rotary, bf16, threads.
#include "backends/cpu/attention.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/float_types.h"

namespace vernier {
namespace {

void MeasureAttention(benchmark::State& state, Isa isa) {
  if (!Cpu().Has(isa)) return state.SkipWithError("this CPU lacks the instruction set");
  const int64_t tokens = state.range(0), heads = state.range(1), head_dim = state.range(2);
  const int64_t width = heads * head_dim;
  const bool rotary = state.range(3) != 0;
  const Element element = state.range(4) != 0 ? Element::kBf16 : Element::kF32;
  const int threads = static_cast<int>(state.range(5));
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> fused(static_cast<size_t>(tokens * width * 3));
  std::vector<uint16_t> narrow;
  for (float& x : fused) narrow.push_back(ToBf16(x = normal(random)));
  const auto operand = [&](int64_t part) -> AttentionOperand {
    if (element == Element::kBf16) return {narrow.data() + part * width, element, 3 * width, 0};
    return {fused.data() + part * width, element, 3 * width, 0};
  };
  std::vector<float> cosines, sines;  // one angle a token is as much work as many
  for (int64_t i = 0; rotary && i < tokens * head_dim / 2; ++i) {
    const float angle = static_cast<float>(2 * i / head_dim);
    cosines.push_back(std::cos(angle));
    sines.push_back(std::sin(angle));
  }
  const RotaryTable table = {rotary ? cosines.data() : nullptr, sines.data(), head_dim / 2,
                             RotaryPairs::kHalves};
  std::vector<float> out(static_cast<size_t>(tokens * width));
  const AttentionArgs args = {.query_len = tokens,
                              .kv_len = tokens,
                              .heads = heads,
                              .kv_heads = heads,
                              .head_dim = head_dim,
                              .scale = 1.0f / std::sqrt(static_cast<float>(head_dim)),
                              .q = operand(0),
                              .k = operand(1),
                              .v = operand(2),
                              .q_rotary = table,
                              .k_rotary = table,
                              .out = out.data(),
                              .out_element = element,
                              .out_token_stride = width};
  std::vector<char> scratch(static_cast<size_t>(AttentionScratchBytes(isa, threads, args)));
  for (auto _ : state) RunAttention(isa, threads, args, scratch.data());
  const double flops = 4.0 * static_cast<double>(tokens * tokens * width);
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void Sizes(benchmark::internal::Benchmark* bench) {
  for (int64_t threads : {1, 2}) {
    for (int64_t bf16 : {0, 1}) {
      bench->Args({197, 12, 64, 0, bf16, threads});
      bench->Args({1025, 16, 64, 0, bf16, threads});
      bench->Args({784, 16, 72, 1, bf16, threads});
      bench->Args({512, 16, 128, 0, bf16, threads});
    }
  }
  bench->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK_CAPTURE(MeasureAttention, avx2, Isa::kAvx2)->Apply(Sizes);
BENCHMARK_CAPTURE(MeasureAttention, avx512, Isa::kAvx512)->Apply(Sizes);
BENCHMARK_CAPTURE(MeasureAttention, avx512_bf16, Isa::kAvx512Bf16)->Apply(Sizes);
BENCHMARK_CAPTURE(MeasureAttention, neon, Isa::kNeon)->Apply(Sizes);

}  // namespace
}  // namespace vernier
