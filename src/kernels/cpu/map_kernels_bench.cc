// The kernels for maps whose pixels are rows of channels, on one thread, at the sizes of BlendMask
// R-50 on 640x640: 80x80 pixels of 256 channels, the pool 320x320 of 64. Argument: 0 for f32, 1 for
// bf16. GB/s counts every byte read and written once.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "core/cpu_features.h"
#include "core/float_types.h"
#include "kernels/cpu/channel_norm.h"
#include "kernels/cpu/max_pool.h"
#include "kernels/cpu/resize_rows.h"

namespace vernier {
namespace {

constexpr int64_t kSide = 80, kChannels = 256;

class BenchMap {
 public:
  BenchMap(int64_t side, int64_t channels, Element element)
      : element_(element),
        stride_(channels),
        floats_(element == Element::kF32 ? static_cast<size_t>(side * side * channels) : 0),
        bits_(element == Element::kF32 ? 0 : static_cast<size_t>(side * side * channels)) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& x : floats_) x = normal(random);
    for (uint16_t& x : bits_) x = ToBf16(normal(random));
  }

  ElementRows at(int64_t row) {
    if (element_ == Element::kF32) return {floats_.data() + row * stride_, element_, stride_};
    return {bits_.data() + row * stride_, element_, stride_};
  }
  ConstElementRows from(int64_t row) {
    const ElementRows rows = at(row);
    return {rows.data, rows.element, rows.stride};
  }
  double bytes() const {
    return static_cast<double>(floats_.size() * sizeof(float) + bits_.size() * sizeof(uint16_t));
  }

 private:
  Element element_;
  int64_t stride_;
  std::vector<float> floats_;
  std::vector<uint16_t> bits_;
};

Element ElementOf(const benchmark::State& state) {
  return state.range(0) == 0 ? Element::kF32 : Element::kBf16;
}

template <class F>
void Measure(benchmark::State& state, Isa isa, double bytes, F run) {
  if (!Cpu().Has(isa)) return state.SkipWithError("this CPU lacks the instruction set");
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  state.counters["GB/s"] =
      benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void MeasureMoments(benchmark::State& state, Isa isa) {
  BenchMap map(kSide, kChannels, ElementOf(state));
  std::vector<float> out(3 * kChannels);
  Measure(state, isa, map.bytes(), [&] {
    for (int64_t first = 0; first < kSide * kSide; first += kMomentPixels) {
      SelectChannelNorm(isa).moments({.pixels = std::min(kMomentPixels, kSide * kSide - first),
                                      .channels = kChannels,
                                      .in = map.from(first),
                                      .about = out.data(),
                                      .sums = out.data() + kChannels,
                                      .squares = out.data() + 2 * kChannels});
    }
  });
}

void MeasureScale(benchmark::State& state, Isa isa) {
  BenchMap map(kSide, kChannels, ElementOf(state)), out(kSide, kChannels, ElementOf(state));
  const std::vector<float> factors(kChannels, 0.5f);
  Measure(state, isa, 2 * map.bytes(), [&] {
    SelectChannelNorm(isa).scale({.pixels = kSide * kSide,
                                  .channels = kChannels,
                                  .in = map.from(0),
                                  .centre = factors.data(),
                                  .scale = factors.data(),
                                  .shift = factors.data(),
                                  .relu = true,
                                  .out = out.at(0)});
  });
}

void MeasureMaxPool(benchmark::State& state, Isa isa) {
  constexpr int64_t kLarge = 320, kFew = 64;
  BenchMap map(kLarge, kFew, ElementOf(state)), out(kLarge / 2, kFew, ElementOf(state));
  Measure(state, isa, map.bytes() + out.bytes(), [&] {
    for (int64_t row = 0; row < kLarge / 2; ++row) {
      SelectMaxPool(isa)({.in = map.from(0),
                          .line_stride = kLarge * kFew,
                          .height = kLarge,
                          .width = kLarge,
                          .channels = kFew,
                          .kernel = 3,
                          .stride = 2,
                          .padding = 1,
                          .row = row,
                          .out = out.at(row * kLarge / 2),
                          .out_width = kLarge / 2});
    }
  });
}

void MeasureResize(benchmark::State& state, Isa isa, bool blend) {
  BenchMap map(kSide / 2, kChannels, ElementOf(state)), out(kSide, kChannels, ElementOf(state));
  BenchMap addend(kSide, kChannels, ElementOf(state));
  std::vector<ResizeTap> taps;
  for (int64_t x = 0; x < kSide; ++x) taps.push_back({x / 2, std::min(x / 2 + 1, kSide / 2 - 1)});
  Measure(state, isa, map.bytes() + addend.bytes() + out.bytes(), [&] {
    for (int64_t y = 0; y < kSide; ++y) {
      SelectResizeRow(isa)({.channels = kChannels,
                            .out_width = kSide,
                            .columns = taps.data(),
                            .lower_share = 0.25f,
                            .blend = blend,
                            .upper = map.from(y / 2 * kSide / 2),
                            .lower = map.from(std::min(y / 2 + 1, kSide / 2 - 1) * kSide / 2),
                            .addend = addend.from(y * kSide),
                            .out = out.at(y * kSide)});
    }
  });
}

void MeasureNearestAdd(benchmark::State& state, Isa isa) { MeasureResize(state, isa, false); }
void MeasureBilinearAdd(benchmark::State& state, Isa isa) { MeasureResize(state, isa, true); }

#define VN_MAP_BENCHMARK(function)                                                              \
  BENCHMARK_CAPTURE(function, scalar, Isa::kScalar)                                             \
      ->Arg(0)                                                                                  \
      ->Arg(1)                                                                                  \
      ->Unit(benchmark::kMicrosecond);                                                          \
  BENCHMARK_CAPTURE(function, avx2, Isa::kAvx2)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(function, avx512, Isa::kAvx512)                                             \
      ->Arg(0)                                                                                  \
      ->Arg(1)                                                                                  \
      ->Unit(benchmark::kMicrosecond);                                                          \
  BENCHMARK_CAPTURE(function, neon, Isa::kNeon)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond)

VN_MAP_BENCHMARK(MeasureMoments);
VN_MAP_BENCHMARK(MeasureScale);
VN_MAP_BENCHMARK(MeasureMaxPool);
VN_MAP_BENCHMARK(MeasureNearestAdd);
VN_MAP_BENCHMARK(MeasureBilinearAdd);

}  // namespace
}  // namespace vernier
