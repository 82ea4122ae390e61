#include "backends/ref/gemm.h"

#include <random>
#include <vector>

#include "core/cpu_features.h"

namespace vernier {
namespace {

std::vector<float> Random(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = value(engine);
  return values;
}

TEST(RefGemm, GivesTheSameBitsInBlocksAsNaively) {
  constexpr int64_t kPad = 3;
  for (int64_t m : {0, 1, 3, 4, 5, 9, 257}) {
    for (int64_t n : {0, 1, 7, 8, 9, 25}) {
      for (int64_t k : {0, 1, 7, 64, 129}) {
        SCOPED_TRACE(testing::Message() << m << " x " << n << " x " << k);
        const auto a = Random(m * (k + kPad), 1), w = Random(n * (k + kPad), 2),
                   bias = Random(n, 3);
        std::vector<float> naive(static_cast<size_t>(m * (n + kPad)), -7.0f), blocked = naive;
        RefGemm gemm{.m = m,
                     .n = n,
                     .k = k,
                     .a = a.data(),
                     .a_stride = k + kPad,
                     .w = w.data(),
                     .w_row = k + kPad,
                     .bias = bias.data(),
                     .y_stride = n + kPad};
        gemm.y = naive.data();
        NaiveGemm(gemm);
        gemm.y = blocked.data();
        for (Isa isa : Cpu().isas) {
          BlockedGemm(gemm, 2, isa);
          EXPECT_EQ(naive, blocked) << Name(isa);
        }
        gemm.w_row = 1;  // the transposed right factor of a matrix product
        gemm.w_column = n;
        gemm.bias = nullptr;
        gemm.y = naive.data();
        NaiveGemm(gemm);
        gemm.y = blocked.data();
        BlockedGemm(gemm, 1);
        EXPECT_EQ(naive, blocked);
      }
    }
  }
}

TEST(RefGemm, LeavesOutTheColumnsThatAreLeftWhenCancelled) {
  const auto a = Random(5 * 3, 1), w = Random(9 * 3, 2);
  std::vector<float> y(5 * 9, -7.0f);
  const std::atomic<bool> cancel = true;
  const RefGemm gemm{.m = 5,
                     .n = 9,
                     .k = 3,
                     .a = a.data(),
                     .a_stride = 3,
                     .w = w.data(),
                     .w_row = 3,
                     .y = y.data(),
                     .y_stride = 9,
                     .cancel = &cancel};
  BlockedGemm(gemm, 2);
  EXPECT_EQ(y, std::vector<float>(5 * 9, -7.0f));
}

TEST(RefGemm, AddsInDoublePrecision) {
  const float a[] = {1e8f, 1.0f, -1e8f}, w[] = {1.0f, 1.0f, 1.0f};
  float y = 0;
  NaiveGemm(
      {.m = 1, .n = 1, .k = 3, .a = a, .a_stride = 3, .w = w, .w_row = 3, .y = &y, .y_stride = 1});
  EXPECT_EQ(y, 1.0f);
}

}  // namespace
}  // namespace vernier
