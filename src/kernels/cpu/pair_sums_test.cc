#include "kernels/cpu/pair_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/cpu_features.h"

namespace vernier {
namespace {

struct Pairs {
  std::vector<float> candidate;
  std::vector<float> reference;
};

Pairs NoisyPairs(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> values(0.3f, 2.0f);
  std::normal_distribution<float> noise(0.0f, 0.05f);
  Pairs pairs;
  for (size_t i = 0; i < count; ++i) {
    // Zeros have no relative error.
    pairs.reference.push_back(i % 11 == 5 ? 0.0f : values(random));
    pairs.candidate.push_back(pairs.reference.back() + noise(random));
  }
  return pairs;
}

const PairTolerance kTolerance = {1e-3, 1e-2};

// The order of a sum of n terms moves it by at most n rounding errors of fp64.
double Bound(size_t count, double size) {
  return static_cast<double>(count + 20) * 2.3e-16 * std::abs(size) + 1e-300;
}

class PairKernelsOfEachIsa : public testing::TestWithParam<size_t> {};

TEST_P(PairKernelsOfEachIsa, SumAsThePlainLoopDoes) {
  for (const Isa isa : Cpu().isas) {
    const PairKernels& kernels = SelectPairKernels(isa);
    SCOPED_TRACE(kernels.name);
    const size_t count = GetParam();
    const Pairs pairs = NoisyPairs(count + 1, 7);
    const float* x = pairs.candidate.data() + 1;  // not aligned
    const float* r = pairs.reference.data() + 1;
    const auto n = static_cast<int64_t>(count);
    const PairSums expected = scalar::SumPairs(x, r, n, kTolerance);
    const PairSums sums = kernels.sums(x, r, n, kTolerance);
    EXPECT_EQ(sums.finite, n);
    EXPECT_EQ(sums.within, expected.within);
    EXPECT_EQ(sums.needed_atol, expected.needed_atol);
    EXPECT_EQ(sums.max_abs, expected.max_abs);
    EXPECT_NEAR(sums.max_relative, expected.max_relative, Bound(4, expected.max_relative));
    EXPECT_EQ(sums.candidate_min, expected.candidate_min);
    EXPECT_EQ(sums.candidate_max, expected.candidate_max);
    EXPECT_EQ(sums.reference_min, expected.reference_min);
    EXPECT_EQ(sums.reference_max, expected.reference_max);
    EXPECT_NEAR(sums.abs, expected.abs, Bound(count, expected.abs));
    EXPECT_NEAR(sums.squares, expected.squares, Bound(count, expected.squares));
    EXPECT_NEAR(sums.relative, expected.relative, Bound(count, expected.relative));
    EXPECT_NEAR(sums.mre, expected.mre, Bound(count, expected.mre));
    EXPECT_NEAR(sums.dot, expected.dot, Bound(count, expected.reference_squares));
    EXPECT_NEAR(sums.candidate_squares, expected.candidate_squares,
                Bound(count, expected.candidate_squares));
    EXPECT_NEAR(sums.candidate_sum, expected.candidate_sum, Bound(count, 10.0 * count));
  }
}

TEST_P(PairKernelsOfEachIsa, SumTheDivergenceAsThePlainLoopDoes) {
  const PairRanges ranges = {-9.0, 1 / 18.0, -8.0, 1 / 16.0};
  for (const Isa isa : Cpu().isas) {
    const PairKernels& kernels = SelectPairKernels(isa);
    SCOPED_TRACE(kernels.name);
    const size_t count = GetParam();
    const Pairs pairs = NoisyPairs(count, 3);
    const auto n = static_cast<int64_t>(count);
    const float* x = pairs.candidate.data();
    const float* r = pairs.reference.data();
    const DivergenceSums expected = scalar::SumDivergence(x, r, n, ranges);
    const DivergenceSums sums = kernels.divergence(x, r, n, ranges);
    EXPECT_NEAR(sums.candidate, expected.candidate, Bound(count, expected.candidate));
    EXPECT_NEAR(sums.reference, expected.reference, Bound(count, expected.reference));
    // Each term is at most 1 here, and its series is cut below 1e-8 of it.
    EXPECT_NEAR(sums.weighted_log, expected.weighted_log, 1e-8 * static_cast<double>(count));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PairKernelsOfEachIsa,
                         testing::Values(0, 1, 2, 7, 8, 9, 15, 16, 17, 1000, 16384));

TEST(PairKernels, TakeTheLogarithmOfRatiosFarFromOne) {
  std::vector<float> candidate = {1.0f, 1e-6f, 0.5f, 0.0f, 1.0f, 0.7f, 0.3f, 1e-3f};
  std::vector<float> reference = {1e-6f, 1.0f, 0.0f, 0.5f, 1.0f, 0.35f, 0.6f, 9e-4f};
  for (int doubled = 0; doubled < 5; ++doubled) {
    candidate.insert(candidate.end(), candidate.begin(), candidate.begin() + 8 * (1 << doubled));
    reference.insert(reference.end(), reference.begin(), reference.begin() + 8 * (1 << doubled));
  }
  const auto count = static_cast<int64_t>(candidate.size());
  const DivergenceSums expected =
      scalar::SumDivergence(candidate.data(), reference.data(), count, {});
  for (const Isa isa : Cpu().isas) {
    const DivergenceSums sums =
        SelectPairKernels(isa).divergence(candidate.data(), reference.data(), count, {});
    EXPECT_NEAR(sums.weighted_log, expected.weighted_log, 1e-8 * std::abs(expected.weighted_log))
        << Name(isa);
  }
}

TEST(PairKernels, LeaveOutPairsWithAValueThatIsNotFinite) {
  Pairs pairs = NoisyPairs(100, 5);
  pairs.candidate[3] = std::numeric_limits<float>::quiet_NaN();
  pairs.reference[40] = std::numeric_limits<float>::infinity();
  pairs.candidate[97] = -std::numeric_limits<float>::infinity();
  pairs.reference[97] = -std::numeric_limits<float>::infinity();
  for (const Isa isa : Cpu().isas) {
    const PairSums sums = SelectPairKernels(isa).sums(pairs.candidate.data(),
                                                      pairs.reference.data(), 100, kTolerance);
    EXPECT_EQ(sums.finite, 97) << Name(isa);
    EXPECT_TRUE(std::isfinite(sums.abs + sums.dot + sums.relative)) << Name(isa);
  }
  const DivergenceSums divergence = scalar::SumDivergence(
      pairs.candidate.data(), pairs.reference.data(), 100, {-9.0, 0.05, -9.0, 0.05});
  EXPECT_TRUE(std::isfinite(divergence.weighted_log));
}

}  // namespace
}  // namespace vernier
