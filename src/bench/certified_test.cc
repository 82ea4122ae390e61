#include "bench/certified.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "support/noise.h"

namespace vernier {
namespace {

using testing::Noise;

std::vector<double> Ascending(size_t count) {
  std::vector<double> samples(count);
  std::iota(samples.begin(), samples.end(), 1.0);
  return samples;
}

// Pascal's triangle in integers: exact for so few trials.
double ExactBinomialAtMost(int trials, double probability, int count) {
  double sum = 0;
  int64_t choose = 1;
  for (int k = 0; k <= count; ++k) {
    sum += static_cast<double>(choose) * std::pow(probability, k) *
           std::pow(1 - probability, trials - k);
    choose = choose * (trials - k) / (k + 1);
  }
  return sum;
}

TEST(Binomial, EqualsTheExactSum) {
  for (int trials : {1, 2, 7, 20, 50}) {
    for (double probability : {0.01, 0.1, 0.5, 0.9}) {
      for (int count = 0; count <= trials; ++count) {
        EXPECT_NEAR(
            BinomialAtMost(static_cast<size_t>(trials), probability, static_cast<size_t>(count)),
            ExactBinomialAtMost(trials, probability, count), 1e-12)
            << trials << " " << probability << " " << count;
      }
    }
  }
}

// scipy.stats.binom.cdf(k, n, p).
TEST(Binomial, HoldsForManyTrials) {
  EXPECT_NEAR(BinomialAtMost(100000, 0.01, 1000), 0.508409473351433, 1e-9);
  EXPECT_NEAR(BinomialAtMost(100000, 0.01, 900), 0.0006608413334501454, 1e-12);
  EXPECT_EQ(BinomialAtMost(100000, 0.5, 10), 0);  // too small for a double
  EXPECT_EQ(BinomialAtMost(10, 0, 3), 1);
  EXPECT_EQ(BinomialAtMost(10, 1, 3), 0);
}

// The query counts that the MLPerf inference rules state for single-stream and multi-stream.
TEST(Certified, NeedsAsManySamplesAsLoadGen) {
  EXPECT_EQ(LeastSamples(90), 64u);
  EXPECT_EQ(LeastSamples(99), 662u);
}

// From a published log: "Processed at least 662 queries (1179125). Would discard 11539 highest
// latency queries. Early stopping 99th percentile estimate: …".
TEST(Certified, DiscardsAsManySamplesAsLoadGen) {
  EXPECT_EQ(Certify(Ascending(1179125), 99).discarded, 11539u);
}

TEST(Certified, SaysHowManySamplesAreMissing) {
  const CertifiedPercentile certified = Certify(Ascending(100), 99);
  EXPECT_FALSE(certified.at_most_ms.has_value());
  EXPECT_EQ(certified.more_samples, 562u);
  EXPECT_EQ(InWords(certified), "p99: 562 more samples needed for a bound at 99 % confidence");
}

TEST(Certified, BoundsFromAboveByAnOrderStatistic) {
  EXPECT_EQ(Certify(Ascending(64), 90).at_most_ms, 64.0);
  const CertifiedPercentile certified = Certify(Ascending(200), 90);
  // P(binomial(200, 0.1) <= 10) = 0.0081 and <= 11 = 0.0168: t is 10.
  EXPECT_EQ(certified.discarded, 9u);
  EXPECT_EQ(certified.at_most_ms, 191.0);
  EXPECT_EQ(InWords(certified), "p90 <= 191.00 ms at 99 % confidence");
}

// The bound's promise, counted: of 2000 series, at most 1 % may lie below the true quantile.
TEST(Certified, HoldsWithItsConfidence) {
  Noise noise(1);
  int below = 0;
  constexpr int kSeries = 2000;
  for (int series = 0; series < kSeries; ++series) {
    std::vector<double> samples(200);
    for (double& sample : samples) sample = noise.Uniform();
    std::ranges::sort(samples);
    below += *Certify(samples, 90).at_most_ms < 0.9;
  }
  // Expected at most 20 of 2000; three standard deviations of that count are 13 more.
  EXPECT_LE(below, 33);
  EXPECT_GT(below, 0);  // else the bound gives away more than it must
}

}  // namespace
}  // namespace vernier
