#include "kernels/cpu/mask_rows.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "kernels/cpu/plain_exponential.h"
#include "support/kernel_test_data.h"

namespace vernier::testing {
namespace {

class MaskRows : public EachIsa {};

constexpr int64_t kCounts[] = {0, 1, 3, 4, 7, 8, 15, 16, 17, 56, 60, 64, 65, 130};

std::vector<float> Normal(int64_t count, float deviation, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

bool SameBits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (a != a && b != b);
}

struct BlendCase {
  int64_t bases, count;
  std::vector<float> pooled, attention;  // two rows each

  BlendCase(int64_t of_bases, int64_t of_count, float deviation)
      : bases(of_bases),
        count(of_count),
        pooled(Normal(2 * bases * count, 2.0f, 1)),
        attention(Normal(2 * bases * count, deviation, 2)) {}

  std::vector<float> Blend(Isa isa) const {
    constexpr float kBehind = 12345.0f;
    std::vector<float> out(static_cast<size_t>(count) + 1, kBehind);
    SelectMaskRows(isa).blend(
        {.bases = bases,
         .count = count,
         .pooled = {pooled.data(), pooled.data() + bases * count, 0.25f},
         .attention = {attention.data(), attention.data() + bases * count, 0.375f},
         .out = out.data()});
    EXPECT_EQ(out.back(), kBehind);
    out.pop_back();
    return out;
  }

  double Expected(int64_t at) const {
    const auto between = [&](const std::vector<float>& rows, int64_t base, double share) {
      const auto i = static_cast<size_t>(base * count + at);
      return rows[i] * (1 - share) + rows[i + static_cast<size_t>(bases * count)] * share;
    };
    double sum = 0, total = 0;
    for (int64_t k = 0; k < bases; ++k) {
      const double weight = std::exp(between(attention, k, 0.375));
      sum += weight * between(pooled, k, 0.25);
      total += weight;
    }
    return sum / total;
  }
};

TEST_P(MaskRows, MixBasesByTheSoftmaxOfTheirAttention) {
  for (const int64_t count : kCounts) {
    for (const int64_t bases : {1, 4, 5}) {
      const BlendCase c(bases, count, 3.0f);
      const std::vector<float> out = c.Blend(GetParam());
      for (int64_t i = 0; i < count; ++i) {
        // Values below 10: exponents round by 10 ulp of theirs, and so do weights.
        EXPECT_NEAR(out[static_cast<size_t>(i)], c.Expected(i), 10 * 30 * 0x1p-24) << count;
      }
    }
  }
}

TEST_P(MaskRows, GiveTheBitsOfThePlainVersion) {
  for (const int64_t count : kCounts) {
    for (const float deviation : {1.0f, 40.0f, 1000.0f}) {
      BlendCase c(4, count, deviation);
      if (count > 3) c.attention[3] = std::nanf("");
      const std::vector<float> out = c.Blend(GetParam()), plain = c.Blend(Isa::kScalar);
      for (size_t i = 0; i < out.size(); ++i) EXPECT_TRUE(SameBits(out[i], plain[i])) << i;
    }
  }
}

TEST_P(MaskRows, GiveProbabilitiesWithTheBitsOfThePlainSigmoid) {
  for (const int64_t count : kCounts) {
    std::vector<float> in = Normal(count, 30.0f, 3);
    const float ends[] = {0.0f, std::nanf(""), 1e30f, -std::numeric_limits<float>::infinity()};
    for (size_t i = 0; i < in.size() && i < std::size(ends); ++i) in[i] = ends[i];
    std::vector<float> out(in.size());
    SelectMaskRows(GetParam()).sigmoid(in.data(), count, out.data());
    for (size_t i = 0; i < in.size(); ++i) EXPECT_TRUE(SameBits(out[i], Sigmoid(in[i]))) << in[i];
  }
}

TEST_P(MaskRows, MarkWhatReachesTheThreshold) {
  for (const int64_t count : kCounts) {
    std::vector<float> left = Normal(count, 1.0f, 4), right = Normal(count, 1.0f, 5);
    for (auto* values : {&left, &right}) {
      for (float& value : *values) value = std::abs(value);
    }
    std::vector<uint64_t> bits(static_cast<size_t>(count + 63) / 64 + 1, ~uint64_t{0});
    constexpr float kShare = 0.3f;
    // One that reaches it exactly.
    const float threshold =
        count > 2 ? left[2] + kShare * (right[2] - left[2]) : std::numeric_limits<float>::min();
    SelectMaskRows(GetParam())
        .foreground({.count = count,
                     .left = left.data(),
                     .right = right.data(),
                     .share = kShare,
                     .threshold = threshold,
                     .bits = bits.data()});
    EXPECT_EQ(bits.back(), ~uint64_t{0});
    for (int64_t i = 0; i < (count + 63) / 64 * 64; ++i) {
      const bool set = (bits[static_cast<size_t>(i / 64)] >> (i % 64) & 1) != 0;
      const auto at = static_cast<size_t>(i);
      EXPECT_EQ(set, i < count && left[at] + kShare * (right[at] - left[at]) >= threshold) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, MaskRows, kVectorIsas, IsaName);

}  // namespace
}  // namespace vernier::testing
