// The threaded driver: same bits whatever the threads, the batch and the cut of k.
#include "backends/cpu/gemm.h"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "core/float_types.h"

namespace vernier {
namespace {

Tensor Random(DType dtype, int64_t rows, int64_t columns, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  Tensor tensor(dtype, Shape{rows, columns});
  for (int64_t i = 0; i < rows * columns; ++i) {
    const auto at = static_cast<size_t>(i);
    if (dtype == DType::kF32) tensor.as<float>()[at] = value(engine);
    if (dtype == DType::kBF16) tensor.as<uint16_t>()[at] = ToBf16(value(engine));
  }
  return tensor;
}

Tensor Pack(const PackedLayout& layout, const Tensor& weights, int threads) {
  Tensor packed(DType::kU8, Shape{static_cast<int64_t>(layout.bytes())});
  const PackSource part = {
      .data = weights.data(), .dtype = weights.dtype(), .n = layout.n, .row_stride = layout.k};
  PackWeights(layout, std::span(&part, 1), packed.data(), threads);
  return packed;
}

struct Problem {
  int64_t m, n, k;
  DType dtype;
  Isa isa;
  bool int8_weights = false;
};

// A linear layer with everything that can follow it, adding to `residual` in place.
Tensor RunLayer(const Problem& p, const Tensor& a, const Tensor& w, const Tensor& residual,
                int threads, const std::atomic<bool>* cancel = nullptr) {
  const PackedLayout layout =
      PackedLayoutFor(p.isa, p.int8_weights ? DType::kI8 : p.dtype, p.n, p.k);
  const Tensor packed = Pack(layout, w, threads);
  const Tensor bias = Random(DType::kF32, 1, p.n, 7), scale = Random(DType::kF32, 1, p.n, 8);
  const Gemm gemm({.m = p.m,
                   .weights = layout,
                   .a = p.dtype,
                   .a_stride = p.k,
                   .c_stride = p.n,
                   .bias = true,
                   .activation = Activation::kGeluErf,
                   .scale = true,
                   .residual = true,
                   .residual_stride = p.n,
                   .isa = p.isa,
                   .threads = threads});
  Tensor scratch(DType::kU8, Shape{static_cast<int64_t>(gemm.scratch_bytes())});
  Tensor c = Tensor::CopyOf(residual.view());
  gemm.Run({.a = a.data(),
            .weights = packed.data(),
            .c = c.data(),
            .bias = bias.as<float>().data(),
            .scale = scale.as<float>().data(),
            .residual = c.as<float>().data(),
            .scratch = scratch.data(),
            .cancel = cancel});
  return c;
}

void ExpectRowsEqual(const Tensor& a, int64_t a_row, const Tensor& b, int64_t b_row) {
  const auto n = static_cast<size_t>(a.shape()[1]);
  const float* left = a.as<float>().data() + static_cast<size_t>(a_row) * n;
  const float* right = b.as<float>().data() + static_cast<size_t>(b_row) * n;
  EXPECT_EQ(std::memcmp(left, right, n * sizeof(float)), 0) << "row " << a_row;
}

Tensor RowOf(const Tensor& tensor, int64_t row) {
  const Shape shape = {1, tensor.shape()[1]};
  const auto bytes = static_cast<size_t>(shape[1]) * ByteSize(tensor.dtype());
  const char* from = static_cast<const char*>(tensor.data()) + static_cast<size_t>(row) * bytes;
  return Tensor::CopyOf({from, tensor.dtype(), shape});
}

TEST(Gemm, GivesTheSameBitsForAnyThreadsAndAnyBatch) {
  for (Isa isa : Cpu().isas) {
    for (const auto& [dtype, int8_weights] : {std::pair{DType::kF32, false},
                                              {DType::kBF16, false},
                                              {DType::kF32, true},
                                              {DType::kBF16, true}}) {
      // Deep enough that k is cut, and panels and tiles divide among no number of threads.
      const Problem p = {
          .m = 197, .n = 200, .k = 2100, .dtype = dtype, .isa = isa, .int8_weights = int8_weights};
      const Tensor a = Random(dtype, p.m, p.k, 1), w = Random(dtype, p.n, p.k, 2);
      const Tensor residual = Random(DType::kF32, p.m, p.n, 3);
      const Tensor one = RunLayer(p, a, w, residual, 1);
      for (int threads : {2, 3, 7}) {
        const Tensor many = RunLayer(p, a, w, residual, threads);
        EXPECT_EQ(std::memcmp(one.data(), many.data(), one.bytes()), 0)
            << Name(isa) << " " << Name(dtype) << " on " << threads << " threads";
      }
      for (int64_t row : {0, 5, 195, 196}) {
        Problem single = p;
        single.m = 1;
        const Tensor alone = RunLayer(single, RowOf(a, row), w, RowOf(residual, row), 2);
        ExpectRowsEqual(one, row, alone, 0);
      }
    }
  }
}

TEST(Gemm, LeavesOutThePanelsThatAreLeftWhenCancelled) {
  const Problem p = {.m = 9, .n = 200, .k = 12, .dtype = DType::kF32, .isa = Cpu().best()};
  const Tensor a = Random(p.dtype, p.m, p.k, 1), w = Random(p.dtype, p.n, p.k, 2);
  const Tensor residual = Random(DType::kF32, p.m, p.n, 3);
  const std::atomic<bool> cancel = true;
  const Tensor left = RunLayer(p, a, w, residual, 2, &cancel);
  EXPECT_EQ(std::memcmp(left.data(), residual.data(), residual.bytes()), 0);
}

TEST(Gemm, AgreesWithExactSums) {
  for (Isa isa : Cpu().isas) {
    for (DType dtype : {DType::kF32, DType::kBF16}) {
      const Problem p = {.m = 10, .n = 130, .k = 1300, .dtype = dtype, .isa = isa};
      const Tensor a = Random(dtype, p.m, p.k, 1), w = Random(dtype, p.n, p.k, 2);
      const Tensor residual = Random(DType::kF32, p.m, p.n, 3);
      const Tensor bias = Random(DType::kF32, 1, p.n, 7), scale = Random(DType::kF32, 1, p.n, 8);
      const Tensor c = RunLayer(p, a, w, residual, 2);
      const Tensor a32 = ToFloat32(a.view()), w32 = ToFloat32(w.view());
      for (int64_t i = 0; i < p.m * p.n; ++i) {
        const int64_t row = i / p.n, column = i % p.n;
        double sum = bias.as<float>()[static_cast<size_t>(column)];
        for (int64_t k = 0; k < p.k; ++k) {
          sum += double{a32.as<float>()[static_cast<size_t>(row * p.k + k)]} *
                 w32.as<float>()[static_cast<size_t>(column * p.k + k)];
        }
        const double gelu = 0.5 * sum * std::erfc(-sum / std::sqrt(2.0));
        const double y = gelu * scale.as<float>()[static_cast<size_t>(column)] +
                         residual.as<float>()[static_cast<size_t>(i)];
        // Rounding walks: 1300 additions to sums of about sqrt(1300) / 3, half an ulp each.
        ASSERT_NEAR(c.as<float>()[static_cast<size_t>(i)], y, 1300 * 12 * 0x1p-24) << Name(isa);
      }
    }
  }
}

TEST(Gemm, MultipliesI8WeightsAsIfTheirRoundedValuesWereGiven) {
  for (Isa isa : Cpu().isas) {
    for (int64_t m : {1, 40}) {
      Problem p = {.m = m, .n = 70, .k = 130, .dtype = DType::kF32, .isa = isa};
      const Tensor a = Random(p.dtype, p.m, p.k, 1), residual = Random(DType::kF32, p.m, p.n, 3);
      Tensor w = Random(DType::kF32, p.n, p.k, 2);
      p.int8_weights = true;
      const Tensor quantized = RunLayer(p, a, w, residual, 2);
      for (int64_t row = 0; row < p.n; ++row) {
        const std::span<float> values =
            w.as<float>().subspan(static_cast<size_t>(row * p.k), static_cast<size_t>(p.k));
        float largest = 0;
        for (float x : values) largest = std::max(largest, std::abs(x));
        for (float& x : values) x = std::nearbyint(x * (127.0f / largest)) * (largest / 127.0f);
      }
      p.int8_weights = false;
      const Tensor rounded = RunLayer(p, a, w, residual, 2);
      for (int64_t i = 0; i < p.m * p.n; ++i) {
        const auto at = static_cast<size_t>(i);
        // 130 terms under 1, rounded in another order.
        ASSERT_NEAR(quantized.as<float>()[at], rounded.as<float>()[at], 130 * 12 * 0x1p-24)
            << Name(isa) << " " << m;
      }
    }
  }
}

TEST(Gemm, RunsOnEmptySides) {
  for (Isa isa : Cpu().isas) {
    for (const auto& [m, n, k] : {std::array<int64_t, 3>{0, 5, 5}, {5, 0, 5}, {3, 5, 0}}) {
      const Problem p = {.m = m, .n = n, .k = k, .dtype = DType::kF32, .isa = isa};
      const Tensor a = Random(DType::kF32, m, k, 1), w = Random(DType::kF32, n, k, 2);
      const Tensor residual = Random(DType::kF32, m, n, 3);
      const Tensor c = RunLayer(p, a, w, residual, 2);
      EXPECT_EQ(c.shape(), residual.shape());
    }
  }
}

}  // namespace
}  // namespace vernier
