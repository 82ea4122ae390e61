// One query over 2048 cached tokens in each of 12 heads of 64, one thread, as Pix2Struct's
// cross-attention decodes; the caches of 12 layers in turn, so that none is in the processor's
// cache.
#include <benchmark/benchmark.h>

#include <vector>

#include "core/cpu_features.h"
#include "kernels/cpu/cached_attention.h"

namespace vernier {
namespace {

constexpr int64_t kLayers = 12, kHeads = 12, kTokens = 2048, kHeadDim = 64;

void MeasureCachedAttention(benchmark::State& state, Isa isa, Element element) {
  if (!Cpu().Has(isa)) return state.SkipWithError("this CPU lacks the instruction set");
  const int64_t bytes = ElementBytes(element), block_bytes = kCachedBlockTokens * kHeadDim * bytes;
  const int64_t blocks = kTokens / kCachedBlockTokens;
  const auto all = static_cast<size_t>(kLayers * kHeads * blocks * block_bytes);
  const std::vector<char> keys(all, 0x11), values(all, 0x11);
  const std::vector<float> q(kHeadDim, 0.1f);
  std::vector<float> sums(kHeadDim);
  const CachedAttentionKernel kernel = SelectCachedAttention(isa);
  int64_t layer = 0;
  for (auto _ : state) {
    for (int64_t head = 0; head < kHeads; ++head) {
      const int64_t base = (layer * kHeads + head) * blocks * block_bytes;
      CachedQuery query{.q = q.data(), .sums = sums.data()};
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t at = base + block * block_bytes;
        const bool more = block + 1 < blocks;
        kernel({.keys = &keys[static_cast<size_t>(at)],
                .values = &values[static_cast<size_t>(at)],
                .element = element,
                .tokens = kCachedBlockTokens,
                .head_dim = kHeadDim,
                .next_keys = more ? &keys[static_cast<size_t>(at + block_bytes)] : nullptr,
                .next_values = more ? &values[static_cast<size_t>(at + block_bytes)] : nullptr},
               query);
      }
      benchmark::DoNotOptimize(query.total);
    }
    layer = (layer + 1) % kLayers;
  }
  const double traffic = 2.0 * static_cast<double>(kHeads * blocks * block_bytes);
  state.counters["GB/s"] =
      benchmark::Counter(traffic * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

#define VN_CACHED_BENCHMARK(isa, name)                                        \
  BENCHMARK_CAPTURE(MeasureCachedAttention, name##_f32, isa, Element::kF32)   \
      ->Unit(benchmark::kMicrosecond);                                        \
  BENCHMARK_CAPTURE(MeasureCachedAttention, name##_bf16, isa, Element::kBf16) \
      ->Unit(benchmark::kMicrosecond)

VN_CACHED_BENCHMARK(Isa::kScalar, scalar);
VN_CACHED_BENCHMARK(Isa::kAvx2, avx2);
VN_CACHED_BENCHMARK(Isa::kAvx512, avx512);
VN_CACHED_BENCHMARK(Isa::kNeon, neon);

}  // namespace
}  // namespace vernier
