#include "bench/warm_up.h"

#include <vector>

namespace vernier {
namespace {

// Runs whose times come from `duration` until the rule has enough.
template <typename Duration>
WarmUp Simulate(const WarmUpRule& rule, const Duration& duration) {
  std::vector<double> runs_ms;
  while (NeedsMoreWarmUp(runs_ms, rule)) runs_ms.push_back(duration(runs_ms.size()));
  return Describe(runs_ms, rule);
}

TEST(WarmUp, EndsWithTheSecondWindowThatAgrees) {
  const WarmUp done = Simulate({}, [](size_t) { return 10.0; });
  EXPECT_EQ(done.steadiness, Steadiness::kSteady);
  EXPECT_EQ(done.runs, 10);
  EXPECT_DOUBLE_EQ(done.ms, 100);
}

TEST(WarmUp, GoesOnWhileRunsGetFaster) {
  const WarmUp done = Simulate(
      {}, [](size_t run) { return run < 30 ? 20.0 - 0.3 * static_cast<double>(run) : 11; });
  EXPECT_EQ(done.steadiness, Steadiness::kSteady);
  EXPECT_GT(done.runs, 30);
}

TEST(WarmUp, IsNotFooledByOneSlowRun) {
  const WarmUp done = Simulate({}, [](size_t run) { return run == 2 ? 500.0 : 10.0; });
  EXPECT_EQ(done.runs, 10);
  EXPECT_EQ(done.steadiness, Steadiness::kSteady);
}

TEST(WarmUp, GivesUpAtTheMostRunsAndSaysSo) {
  const WarmUp done = Simulate({}, [](size_t run) { return run / 5 % 2 == 0 ? 10.0 : 12.0; });
  EXPECT_EQ(done.runs, WarmUpRule().most_runs);
  EXPECT_EQ(done.steadiness, Steadiness::kNotReached);
}

TEST(WarmUp, GivesUpAtTheMostTime) {
  const WarmUp done = Simulate({}, [](size_t) { return 4000.0; });
  EXPECT_EQ(done.runs, 3);
  EXPECT_EQ(done.steadiness, Steadiness::kNotJudged);
}

TEST(WarmUp, DoesExactlyTheRunsThatWereAskedFor) {
  const WarmUpRule rule{.least_runs = 4, .until_steady = false};
  EXPECT_EQ(Simulate(rule, [](size_t run) { return 1.0 / (1 + static_cast<double>(run)); }).runs,
            4);
  EXPECT_EQ(InWords(rule),
            "4 runs; steady: the medians of the last two windows of 5 runs differ by at most 2 %");
  EXPECT_EQ(InWords({}),
            "at least 3 runs and until steady, at most 100 runs or 10 s; steady: the medians of "
            "the last two windows of 5 runs differ by at most 2 %");
}

}  // namespace
}  // namespace vernier
