// The products with tile registers, whose instructions few machines have, on emulated ones: against
// those of AVX-512. Where the CPU has AMX, gemm_test.cc runs them as they are.
#if defined(__x86_64__)

#include "support/amx_emulation.h"

// The kernels once more, under a name of their own: the library has them for the real instructions.
#define amx amx_emulated
#include "kernels/cpu/gemm_amx.cc"
#include "kernels/cpu/gemm_i8_amx.cc"
#undef amx

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/cpu_features.h"

namespace vernier {
namespace {

class GemmTiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Cpu().Has(Isa::kAvx512Bf16)) GTEST_SKIP() << "this CPU has no avx512_bf16 to compare with";
  }
};

template <typename T>
std::vector<T> RandomBytes(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<T> values(static_cast<size_t>(count));
  for (T& value : values) value = static_cast<T>(engine());
  return values;
}

std::vector<uint16_t> RandomBf16(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  std::vector<uint16_t> values(static_cast<size_t>(count));
  for (uint16_t& bits : values) bits = ToBf16(value(engine));
  return values;
}

std::vector<float> SumsOf(GemmMultiplyFn multiply, GemmMultiply g) {
  std::vector<float> sums(static_cast<size_t>(g.rows * kWidePanelColumns), 0.25f);
  g.sums = sums.data();
  multiply(g);
  return sums;
}

void ExpectSameBits(int64_t rows, int64_t k, bool accumulate, bool wide) {
  const int64_t digits = wide ? 3 : 2, stride = (k / 64 + 1) * 64;
  std::vector<int8_t> a = RandomBytes<int8_t>(rows * digits * stride, 1);
  for (int64_t row = 0; row < rows * digits; ++row) {
    std::fill(a.begin() + row * stride + k, a.begin() + (row + 1) * stride, int8_t{0});
  }
  const auto b = RandomBytes<uint8_t>(stride * kWidePanelColumns, 2);
  const auto starts = RandomBytes<int32_t>(rows * digits, 3);
  std::vector<int32_t> small;
  for (const int32_t start : starts) small.push_back(start / 4096);
  const std::vector<float> scale(static_cast<size_t>(rows), 1.0f / 3);
  const GemmMultiply g = {.rows = rows,
                          .k = k,
                          .a = a.data(),
                          .a_stride = stride,
                          .b = b.data(),
                          .accumulate = accumulate,
                          .digits_scale = scale.data(),
                          .digits_starts = small.data()};
  const auto tiled = wide ? amx_emulated::MultiplyThreeDigitsI8 : amx_emulated::MultiplyTwoDigitsI8;
  const auto plain = wide ? avx512_bf16::MultiplyThreeDigitsI8 : avx512_bf16::MultiplyTwoDigitsI8;
  EXPECT_EQ(SumsOf(tiled, g), SumsOf(plain, g)) << rows << " rows, k " << k << ", " << digits;
}

TEST_F(GemmTiles, GiveI8WeightsTheSumsOfVectorInstructions) {
  for (const bool wide : {false, true}) {
    for (int64_t rows : {1, 3, 4, 5, 8, 10, 11, 16, 17, 33}) {
      for (int64_t k : {1, 63, 64, 65, 200}) ExpectSameBits(rows, k, rows % 2 == 0, wide);
    }
  }
}

TEST_F(GemmTiles, AddUpPairsOfBf16AsVectorInstructionsDo) {
  for (int64_t rows : {1, 2, 15, 16, 17, 31, 32, 33}) {
    for (int64_t k : {1, 2, 31, 32, 33, 100}) {
      const int64_t padded = (k / 32 + 1) * 32;
      const std::vector<uint16_t> a = RandomBf16(rows * k, 1);
      std::vector<uint16_t> b = RandomBf16(padded * kWidePanelColumns, 2);
      for (int64_t at = k; at < padded; ++at) {  // zeros behind k
        for (int64_t column = 0; column < kWidePanelColumns; ++column) {
          b[static_cast<size_t>((at / 2 * kWidePanelColumns + column) * 2 + at % 2)] = 0;
        }
      }
      const GemmMultiply g = {.rows = rows,
                              .k = k,
                              .a = a.data(),
                              .a_stride = k,
                              .b = b.data(),
                              .accumulate = k % 2 == 0};
      const std::vector<float> tiled = SumsOf(amx_emulated::MultiplyBf16Bf16, g);
      const std::vector<float> plain = SumsOf(avx512_bf16::MultiplyBf16Bf16, g);
      for (size_t i = 0; i < tiled.size(); ++i) {
        // Chains of k products under 1, added in another order.
        ASSERT_NEAR(tiled[i], plain[i], static_cast<double>(k + 2) * std::sqrt(k) * 0x1p-24)
            << rows << " rows, k " << k << " at " << i;
      }
    }
  }
}

}  // namespace
}  // namespace vernier

#endif
