#include "eval/gate.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Metric kTop1 = {.name = "top1", .value = 0.95, .interval = {0.92, 0.97}, .n = 300};

MetricGateResult Judged(std::string_view gate, const Metric& metric = kTop1,
                        const GateObstacles& obstacles = {}) {
  return JudgeGate(ParseMetricGate(gate), metric, obstacles);
}

TEST(MetricGate, ReadsBothDirectionsAndPercent) {
  EXPECT_EQ(ParseMetricGate("top1>=97%").threshold, 0.97);
  EXPECT_TRUE(ParseMetricGate("top1>=97%").at_least);
  EXPECT_FALSE(ParseMetricGate("cer<=0.1").at_least);
  EXPECT_EQ(ParseMetricGate("delta.top1>=-0.01").metric, "delta.top1");
  for (const char* bad : {"top1", "top1>0.9", ">=1", "top1>=", "top1>=x", "top1>=nan", "a=1"}) {
    EXPECT_THAT(MessageOf([&] { ParseMetricGate(bad); }), HasSubstr("expected NAME>=VALUE")) << bad;
  }
}

TEST(MetricGate, DecidesAClaimOnlyWhereTheIntervalDoes) {
  EXPECT_EQ(Judged("top1>=0.9").outcome, VerdictKind::kPassed);
  EXPECT_EQ(Judged("top1>=0.98").outcome, VerdictKind::kFailed);
  EXPECT_EQ(Judged("top1>=0.94").outcome, VerdictKind::kInconclusive);
  EXPECT_THAT(Judged("top1>=0.94").note, HasSubstr("300 samples do not decide about 0.94"));
  EXPECT_EQ(Judged("top1<=0.98").outcome, VerdictKind::kPassed);
  EXPECT_EQ(Judged("top1<=0.9").outcome, VerdictKind::kFailed);
}

TEST(MetricGate, SaysWithWhichThresholdItWouldPass) {
  EXPECT_THAT(Judged("top1>=0.98").note, HasSubstr("would pass with top1>=0.92"));
  EXPECT_EQ(Judged("top1>=0.92").outcome, VerdictKind::kPassed);
  EXPECT_THAT(Judged("top1<=0.9").note, HasSubstr("would pass with top1<=0.97"));
}

TEST(MetricGate, DecidesByTheValueWhereNoIntervalCan) {
  const Metric all = {.name = "top1", .value = 1, .interval = {0.98, 1}, .n = 200};
  EXPECT_EQ(Judged("top1>=1", all).outcome, VerdictKind::kPassed);
  EXPECT_EQ(Judged("top1>=1").outcome, VerdictKind::kFailed);
  const Metric same = {
      .name = "baseline.rouge_l", .value = 0.96, .interval = {0.9, 0.99}, .n = 200};
  EXPECT_EQ(Judged("baseline.rouge_l>=0.95", same).outcome, VerdictKind::kPassed);
  EXPECT_THAT(Judged("baseline.rouge_l>=1", same).note,
              AllOf(HasSubstr("on these 200 samples"), HasSubstr("baseline.rouge_l>=0.96")));
}

TEST(MetricGate, PassesNothingThatCannotBeClaimed) {
  const MetricGateResult result = Judged("top1>=0.9", kTop1, {{"the head is made up"}});
  EXPECT_EQ(result.outcome, VerdictKind::kInconclusive);
  EXPECT_THAT(result.note, HasSubstr("but the head is made up"));
  EXPECT_EQ(Judged("top1>=0.98", kTop1, {{"the head is made up"}}).outcome, VerdictKind::kFailed);
  EXPECT_EQ(Judged("top1>=0.9", Metric{.name = "top1"}).outcome, VerdictKind::kInconclusive);
}

}  // namespace
}  // namespace vernier
