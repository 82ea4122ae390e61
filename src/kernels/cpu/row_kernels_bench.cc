// The kernels that work row by row, on one thread, at the sizes of PE-Lang-L14-448 (1025 tokens).
// Argument: columns. GB/s counts every byte read and written once.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "core/cpu_features.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/layer_norm.h"
#include "kernels/cpu/rotary.h"
#include "kernels/cpu/softmax.h"

namespace vernier {
namespace {

constexpr int64_t kRows = 1025;

std::vector<float> Random(int64_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& x : values) x = normal(random);
  return values;
}

/// Runs `kernel` on [kRows, columns] fp32 rows and counts `arrays` of them as traffic.
template <class Kernel>
void Measure(benchmark::State& state, Isa isa, int arrays, Kernel kernel) {
  if (!Cpu().Has(isa)) return state.SkipWithError("this CPU lacks the instruction set");
  const int64_t columns = state.range(0);
  const std::vector<float> in = Random(kRows * columns);
  std::vector<float> out(in.size());
  for (auto _ : state) kernel(columns, in.data(), out.data());
  const double bytes = 4.0 * arrays * static_cast<double>(kRows * columns);
  state.counters["GB/s"] =
      benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void MeasureLayerNorm(benchmark::State& state, Isa isa) {
  const std::vector<float> gamma = Random(state.range(0));
  Measure(state, isa, 2, [&](int64_t columns, const float* in, float* out) {
    SelectLayerNorm(isa)({.rows = kRows,
                          .columns = columns,
                          .in = in,
                          .in_stride = columns,
                          .gamma = gamma.data(),
                          .beta = gamma.data(),
                          .eps = 1e-5,
                          .out = out,
                          .out_stride = columns});
  });
}

void MeasureSoftmax(benchmark::State& state, Isa isa) {
  Measure(state, isa, 2, [&](int64_t columns, const float* in, float* out) {
    SelectSoftmax(isa)({kRows, columns, in, columns, out, columns});
  });
}

void MeasureAdd(benchmark::State& state, Isa isa) {
  Measure(state, isa, 3, [&](int64_t columns, const float* in, float* out) {
    SelectElementwise(isa).add({.rows = kRows,
                                .columns = columns,
                                .a = {in, Element::kF32, columns},
                                .b = {out, Element::kF32, columns},
                                .b_period = kRows,
                                .out = {out, Element::kF32, columns}});
  });
}

void MeasureGeluErf(benchmark::State& state, Isa isa) {
  Measure(state, isa, 2, [&](int64_t columns, const float* in, float* out) {
    SelectElementwise(isa).activate({.rows = kRows,
                                     .columns = columns,
                                     .in = {in, Element::kF32, columns},
                                     .activation = Activation::kGeluErf,
                                     .out = {out, Element::kF32, columns}});
  });
}

void MeasureRotary(benchmark::State& state, Isa isa) {
  const std::vector<float> angles = Random(kRows * 32);
  Measure(state, isa, 2, [&](int64_t columns, const float* in, float* out) {
    SelectRotary(isa)({.tokens = kRows,
                       .heads = columns / 64,
                       .head_dim = 64,
                       .table = {angles.data(), angles.data(), 32, RotaryPairs::kInterleaved},
                       .in = in,
                       .in_stride = columns,
                       .out = out,
                       .out_stride = columns});
  });
}

#define VN_ROW_BENCHMARK(function)                                                             \
  BENCHMARK_CAPTURE(function, scalar, Isa::kScalar)->Arg(1024)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(function, avx2, Isa::kAvx2)->Arg(1024)->Unit(benchmark::kMicrosecond);     \
  BENCHMARK_CAPTURE(function, avx512, Isa::kAvx512)->Arg(1024)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(function, neon, Isa::kNeon)->Arg(1024)->Unit(benchmark::kMicrosecond)

VN_ROW_BENCHMARK(MeasureLayerNorm);
VN_ROW_BENCHMARK(MeasureSoftmax);
VN_ROW_BENCHMARK(MeasureAdd);
VN_ROW_BENCHMARK(MeasureGeluErf);
VN_ROW_BENCHMARK(MeasureRotary);

}  // namespace
}  // namespace vernier
