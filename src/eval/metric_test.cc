#include "eval/metric.h"

#include <cmath>
#include <limits>

namespace vernier {
namespace {

MetricTerms Mean(const std::vector<double>& values, double most = 1) {
  MetricTerms terms{.name = "m", .most = most};
  for (double value : values) terms.AddValue(value);
  return terms;
}

std::vector<double> Shares(int right, int wrong) {
  std::vector<double> values(static_cast<size_t>(right), 1.0);
  values.insert(values.end(), static_cast<size_t>(wrong), 0.0);
  return values;
}

TEST(Metric, HasTheIntervalOfItsSamples) {
  const Metric metric = Summarize(Mean(Shares(90, 10)));
  EXPECT_DOUBLE_EQ(metric.value, 0.9);
  EXPECT_EQ(metric.n, 100);
  // Normal approximation: 0.9 +- 1.96 * sqrt(0.09 / 100) = 0.841 to 0.959.
  EXPECT_NEAR(metric.interval.low, 0.841, 0.015);
  EXPECT_NEAR(metric.interval.high, 0.959, 0.015);
}

TEST(Metric, HasTheSameIntervalEveryTime) {
  const MetricTerms terms = Mean(Shares(7, 4));
  EXPECT_EQ(Summarize(terms).interval.low, Summarize(terms).interval.low);
}

TEST(Metric, IsNotCertainWhereAllSamplesAgree) {
  const Metric right = Summarize(Mean(Shares(50, 0)));
  EXPECT_EQ(right.value, 1);
  EXPECT_EQ(right.interval.high, 1);
  EXPECT_NEAR(std::pow(right.interval.low, 50), 0.025, 1e-12);
  const Metric wrong = Summarize(Mean(Shares(0, 50)));
  EXPECT_EQ(wrong.interval.low, 0);
  EXPECT_NEAR(wrong.interval.high, 1 - right.interval.low, 1e-12);
}

TEST(Metric, LearnsNothingAboutOthersFromOneSample) {
  const Metric metric = Summarize(Mean({0.3}));
  EXPECT_EQ(metric.interval.low, 0);
  EXPECT_EQ(metric.interval.high, 1);
}

TEST(Metric, LeavesOutSamplesThatSayNothing) {
  MetricTerms terms = Mean({1, 0});
  terms.AddNothing();
  EXPECT_EQ(Summarize(terms).n, 2);
  EXPECT_EQ(Summarize(terms).value, 0.5);
  MetricTerms nothing{.name = "m"};
  nothing.AddNothing();
  EXPECT_EQ(Summarize(nothing).n, 0);
  EXPECT_TRUE(std::isnan(Summarize(nothing).value));
}

TEST(Metric, DividesSumsBySumsForErrorRates) {
  const double endless = std::numeric_limits<double>::infinity();
  const MetricTerms terms{.name = "cer", .most = endless, .terms = {1, 10, 4, 5}};
  EXPECT_DOUBLE_EQ(Summarize(terms).value, 5.0 / 15);
}

TEST(Metric, ResamplesBothRunsTogetherForADifference) {
  std::vector<double> before(200), now(200);
  for (size_t i = 0; i < before.size(); ++i) {
    before[i] = i % 2;
    now[i] = i < 10 ? 1 - before[i] : before[i];  // five gained, five lost
  }
  const Metric delta = SummarizeDifference(Mean(now), Mean(before));
  EXPECT_EQ(delta.name, "delta.m");
  EXPECT_NEAR(delta.value, 0, 1e-12);
  // Only ten samples vary, so it is far tighter than 1.96 * sqrt(2 * 0.25 / 200) = 0.098.
  EXPECT_GT(delta.interval.low, -0.045);
  EXPECT_LT(delta.interval.high, 0.045);
}

TEST(Metric, KnowsThatUnchangedSamplesProveLittle) {
  const MetricTerms terms = Mean(Shares(15, 5));
  const Metric delta = SummarizeDifference(terms, terms);
  EXPECT_EQ(delta.value, 0);
  EXPECT_NEAR(delta.interval.high, 1 - std::pow(0.025, 1.0 / 20), 1e-12);
}

}  // namespace
}  // namespace vernier
