#include "bench/statistics.h"

#include <numeric>
#include <vector>

#include "vernier/error.h"

namespace vernier {
namespace {

TEST(Percentile, InterpolatesBetweenOrderStatistics) {
  const std::vector<double> sorted = {10, 20, 30, 40};
  EXPECT_DOUBLE_EQ(Percentile(sorted, 0), 10);
  EXPECT_DOUBLE_EQ(Percentile(sorted, 50), 25);
  EXPECT_DOUBLE_EQ(Percentile(sorted, 90), 37);  // numpy.percentile([10, 20, 30, 40], 90)
  EXPECT_DOUBLE_EQ(Percentile(sorted, 100), 40);
}

TEST(Summarize, MatchesHandComputedFigures) {
  const std::vector<double> samples = {4, 1, 3, 2};
  const Summary summary = Summarize(samples);
  EXPECT_EQ(summary.count, 4u);
  EXPECT_DOUBLE_EQ(summary.min, 1);
  EXPECT_DOUBLE_EQ(summary.max, 4);
  EXPECT_DOUBLE_EQ(summary.mean, 2.5);
  EXPECT_DOUBLE_EQ(summary.median, 2.5);
  EXPECT_NEAR(summary.std, 1.2909944487358056, 1e-15);  // sqrt(5/3)
}

TEST(Summarize, GivesOneSampleNoSpread) {
  const Summary summary = Summarize(std::vector<double>{7});
  EXPECT_EQ(summary.std, 0);
  EXPECT_EQ(summary.p99, 7);
  EXPECT_EQ(summary.median_interval.low, 7);
  EXPECT_EQ(summary.median_interval.high, 7);
}

TEST(Summarize, CountsOutliersAndKeepsThem) {
  std::vector<double> samples;
  for (int i = 0; i < 100; ++i) samples.push_back(10 + 0.01 * i);
  samples.push_back(100);
  samples.push_back(1);
  const Summary summary = Summarize(samples);
  EXPECT_EQ(summary.outliers.high, 1u);
  EXPECT_EQ(summary.outliers.low, 1u);
  EXPECT_EQ(summary.max, 100);
  EXPECT_EQ(summary.count, 102u);
}

TEST(Summarize, CallsNothingAnOutlierOfEqualSamples) {
  const Summary summary = Summarize(std::vector<double>(20, 5.0));
  EXPECT_EQ(summary.outliers.low + summary.outliers.high, 0u);
}

TEST(Summarize, GivesP999OnlyToAThousandSamples) {
  std::vector<double> samples(999);
  std::iota(samples.begin(), samples.end(), 0.0);
  EXPECT_FALSE(Summarize(samples).p999.has_value());
  samples.push_back(999);
  EXPECT_NEAR(*Summarize(samples).p999, 998.001, 1e-9);  // numpy.percentile(arange(1000), 99.9)
  EXPECT_NEAR(Summarize(samples).p95, 949.05, 1e-9);
}

TEST(Summarize, RefusesAnEmptyList) { EXPECT_THROW(Summarize({}), Error); }

TEST(BootstrapMedian, HoldsTheMedianAndRepeatsWithItsSeed) {
  std::vector<double> samples;
  for (int i = 0; i < 50; ++i) samples.push_back(10 + (i * 37 % 50) * 0.1);
  const Interval first = BootstrapMedian(samples, 1);
  const Interval again = BootstrapMedian(samples, 1);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_LT(first.low, Summarize(samples).median);
  EXPECT_GT(first.high, Summarize(samples).median);
}

}  // namespace
}  // namespace vernier
