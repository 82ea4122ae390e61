// One thread: a query over 2048 cached tokens in each of 12 heads of 64, as Pix2Struct's
// cross-attention decodes, and eight over 256 in each of two heads of 128, as PaddleOCR-VL does;
// the caches of some layers in turn, so that none is in the processor's cache.
#include <benchmark/benchmark.h>

#include <vector>

#include "core/cpu_features.h"
#include "kernels/cpu/cached_attention.h"

namespace vernier {
namespace {

struct Shape {
  int64_t layers, heads, queries, tokens, head_dim;
};

constexpr Shape kPix2Struct = {12, 12, 1, 2048, 64}, kPaddleOcrVl = {64, 2, 8, 256, 128};

void MeasureCachedAttention(benchmark::State& state, Isa isa, Element element, const Shape& shape) {
  if (!Cpu().Has(isa)) return state.SkipWithError("this CPU lacks the instruction set");
  const int64_t bytes = ElementBytes(element),
                block_bytes = kCachedBlockTokens * shape.head_dim * bytes;
  const int64_t blocks = shape.tokens / kCachedBlockTokens;
  const auto all = static_cast<size_t>(shape.layers * shape.heads * blocks * block_bytes);
  const std::vector<char> keys(all, 0x11), values(all, 0x11);
  const std::vector<float> q(static_cast<size_t>(shape.head_dim), 0.1f);
  std::vector<float> sums(static_cast<size_t>(shape.queries * shape.head_dim));
  const CachedAttentionKernel kernel = SelectCachedAttention(isa);
  int64_t layer = 0;
  for (auto _ : state) {
    for (int64_t head = 0; head < shape.heads; ++head) {
      const int64_t base = (layer * shape.heads + head) * blocks * block_bytes;
      std::vector<CachedQuery> queries;
      for (int64_t i = 0; i < shape.queries; ++i) {
        queries.push_back({.q = q.data(), .sums = sums.data() + i * shape.head_dim});
      }
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t at = base + block * block_bytes;
        const bool more = block + 1 < blocks;
        kernel({.keys = &keys[static_cast<size_t>(at)],
                .values = &values[static_cast<size_t>(at)],
                .element = element,
                .tokens = kCachedBlockTokens,
                .head_dim = shape.head_dim,
                .next_keys = more ? &keys[static_cast<size_t>(at + block_bytes)] : nullptr,
                .next_values = more ? &values[static_cast<size_t>(at + block_bytes)] : nullptr},
               queries.data(), shape.queries);
      }
      benchmark::DoNotOptimize(queries.data());
    }
    layer = (layer + 1) % shape.layers;
  }
  const double traffic = 2.0 * static_cast<double>(shape.heads * blocks * block_bytes);
  state.counters["GB/s"] =
      benchmark::Counter(traffic * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

#define VN_CACHED_BENCHMARK(isa, name)                                                       \
  BENCHMARK_CAPTURE(MeasureCachedAttention, pix2struct_##name##_f32, isa, Element::kF32,     \
                    kPix2Struct)                                                             \
      ->Unit(benchmark::kMicrosecond);                                                       \
  BENCHMARK_CAPTURE(MeasureCachedAttention, pix2struct_##name##_bf16, isa, Element::kBf16,   \
                    kPix2Struct)                                                             \
      ->Unit(benchmark::kMicrosecond);                                                       \
  BENCHMARK_CAPTURE(MeasureCachedAttention, paddleocr_vl_##name##_f32, isa, Element::kF32,   \
                    kPaddleOcrVl)                                                            \
      ->Unit(benchmark::kMicrosecond);                                                       \
  BENCHMARK_CAPTURE(MeasureCachedAttention, paddleocr_vl_##name##_bf16, isa, Element::kBf16, \
                    kPaddleOcrVl)                                                            \
      ->Unit(benchmark::kMicrosecond)

VN_CACHED_BENCHMARK(Isa::kScalar, scalar);
VN_CACHED_BENCHMARK(Isa::kAvx2, avx2);
VN_CACHED_BENCHMARK(Isa::kAvx512, avx512);
VN_CACHED_BENCHMARK(Isa::kNeon, neon);

}  // namespace
}  // namespace vernier
