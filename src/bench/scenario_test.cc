#include "bench/scenario.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Scenario, IsFoundByTheNameOfTheRules) {
  EXPECT_EQ(FindScenario("single-stream")->samples_per_query, 1);
  EXPECT_EQ(FindScenario("multi-stream")->samples_per_query, 8);
  EXPECT_EQ(FindScenario("offline")->percent, 0);
  EXPECT_EQ(FindScenario("server"), nullptr);
}

TEST(Scenario, ReportsTheEarlyStoppingEstimateOfSingleStream) {
  const ScenarioResult result =
      JudgeScenario(*FindScenario("single-stream"), 1, std::vector<double>(64, 5.0), 601'000);
  EXPECT_EQ(result.value, 5.0);
  EXPECT_EQ(result.unit, "ms");
  EXPECT_THAT(result.short_of_rules, IsEmpty());
  EXPECT_EQ(InWords(result),
            "single-stream: 90th percentile latency, early-stopping estimate 5.00 ms (64 queries "
            "of 1 sample)");
}

TEST(Scenario, SaysWhatTheRulesAskForBeyondARun) {
  const ScenarioResult result =
      JudgeScenario(*FindScenario("multi-stream"), 8, std::vector<double>(20, 5.0), 100);
  EXPECT_FALSE(result.value.has_value());
  EXPECT_THAT(result.short_of_rules,
              ElementsAre("662 queries (here 20)", "600 s of queries (here 0.1)"));
  EXPECT_THAT(InWords(result), HasSubstr("needs more queries (20 queries of 8 samples); the MLPerf "
                                         "rules ask for 662 queries (here 20), 600 s"));
}

TEST(Scenario, ReportsTheThroughputOfOffline) {
  const ScenarioResult result =
      JudgeScenario(*FindScenario("offline"), 16, std::vector<double>(10, 100.0), 1000);
  EXPECT_EQ(result.value, 160.0);
  EXPECT_EQ(result.unit, "samples/s");
  EXPECT_EQ(result.samples, 160);
  EXPECT_THAT(result.short_of_rules,
              ElementsAre("24576 samples (here 160)", "600 s of queries (here 1.0)"));
}

}  // namespace
}  // namespace vernier
