#include "bench/speed_ratio.h"

#include <vector>

#include "support/noise.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using testing::Noise;

std::vector<double> Scaled(std::vector<double> samples, double factor) {
  for (double& sample : samples) sample *= factor;
  return samples;
}

TEST(SpeedRatio, SaysWhichSideIsFaster) {
  Noise noise(1);
  const std::vector<double> a = noise.Samples(40, 10), b = noise.Samples(40, 5);
  const SpeedRatio ratio = ComparePaired(a, b);
  EXPECT_EQ(ratio.verdict, SpeedVerdict::kFaster);
  EXPECT_NEAR(ratio.ratio, 0.5, 0.01);
  EXPECT_LT(ratio.interval.low, ratio.ratio);
  EXPECT_GT(ratio.interval.high, ratio.ratio);
  EXPECT_THAT(InWords(ratio), HasSubstr("B is 2.0"));
  EXPECT_EQ(ComparePaired(b, a).verdict, SpeedVerdict::kSlower);
  EXPECT_THAT(InWords(ComparePaired(b, a)), HasSubstr("times as long as A"));
}

TEST(SpeedRatio, CannotTellFromTheSameSamples) {
  Noise noise(2);
  const std::vector<double> a = noise.Samples(40, 10);
  const SpeedRatio ratio = ComparePaired(a, a);
  EXPECT_EQ(ratio.verdict, SpeedVerdict::kCannotTell);
  EXPECT_EQ(ratio.ratio, 1);
  EXPECT_EQ(InWords(ratio),
            "cannot tell which is faster (B/A 1.000, 95 % interval 1.000 to 1.000)");
}

TEST(SpeedRatio, CannotTellFromTooFewSamples) {
  const std::vector<double> a(9, 10.0), b(9, 5.0);
  EXPECT_EQ(ComparePaired(a, b).verdict, SpeedVerdict::kCannotTell);
  EXPECT_THAT(InWords(ComparePaired(a, b)),
              HasSubstr("cannot tell: 9 samples a side, at least 10 are needed"));
  EXPECT_EQ(JudgeSlowdown(ComparePaired(b, a), 0.05).state, GateState::kInconclusive);
}

// A clock that halves midway hits both sides of a pair alike.
TEST(SpeedRatio, OfPairsDoesNotSeeWhatHitsBothSides) {
  Noise noise(3);
  std::vector<double> a, b;
  for (int i = 0; i < 60; ++i) {
    const double machine = i < 30 ? 1 : 2;
    a.push_back(machine * noise.Milliseconds(10));
    b.push_back(machine * noise.Milliseconds(9));
  }
  const SpeedRatio ratio = ComparePaired(a, b);
  EXPECT_NEAR(ratio.ratio, 0.9, 0.01);
  EXPECT_LT(ratio.interval.high - ratio.interval.low, 0.03);
}

TEST(SpeedRatio, OfSeparateSeriesTakesDifferentCounts) {
  Noise noise(4);
  const SpeedRatio ratio = CompareSeparate(noise.Samples(100, 10), noise.Samples(30, 11));
  EXPECT_FALSE(ratio.paired);
  EXPECT_EQ(ratio.verdict, SpeedVerdict::kSlower);
  EXPECT_NEAR(ratio.ratio, 1.1, 0.02);
}

TEST(SpeedRatio, RepeatsWithItsSeed) {
  Noise noise(5);
  const std::vector<double> a = noise.Samples(30, 10), b = noise.Samples(30, 10);
  EXPECT_EQ(ComparePaired(a, b, 7).interval.low, ComparePaired(a, b, 7).interval.low);
  EXPECT_EQ(CompareSeparate(a, b, 7).interval.high, CompareSeparate(a, b, 7).interval.high);
}

TEST(SpeedRatio, RefusesPairsWithoutAPartner) {
  EXPECT_THROW(ComparePaired(std::vector<double>{1, 2}, std::vector<double>{1}), Error);
  EXPECT_THROW(CompareSeparate({}, std::vector<double>{1}), Error);
}

TEST(SpeedGate, FailsOnlyBeyondTheBoundWithTheWholeInterval) {
  Noise noise(6);
  const std::vector<double> a = noise.Samples(60, 10), other = noise.Samples(60, 10);
  const SpeedGate failed = JudgeSlowdown(ComparePaired(a, Scaled(other, 1.2)), 0.05);
  EXPECT_EQ(failed.state, GateState::kFailed);
  EXPECT_THAT(failed.why, HasSubstr("B is more than 5 % slower than A"));
  EXPECT_THAT(failed.why, HasSubstr("it would pass at 2"));
  // Slower without doubt, but not by more than was asked.
  const SpeedRatio slightly = ComparePaired(a, Scaled(other, 1.03));
  EXPECT_EQ(slightly.verdict, SpeedVerdict::kSlower);
  EXPECT_EQ(JudgeSlowdown(slightly, 0.05).state, GateState::kPassed);
  const SpeedGate unsure = JudgeSlowdown(ComparePaired(a, Scaled(other, 1.05)), 0.05);
  EXPECT_EQ(unsure.state, GateState::kInconclusive);
  EXPECT_THAT(unsure.why, HasSubstr("the interval holds both sides of 5 % slower"));
}

// Machines: noise in stretches, a slow drift, rare slow runs. The same code on both sides.
std::pair<std::vector<double>, std::vector<double>> SameCodeTwice(uint64_t seed, size_t pairs) {
  Noise noise(seed);
  std::vector<double> a, b;
  double stretch = 0;
  for (size_t i = 0; i < pairs; ++i) {
    const auto sample = [&] {
      stretch = 0.8 * stretch + 0.02 * noise.Normal();
      return noise.Milliseconds(10) * (1 + std::abs(stretch) + 0.001 * static_cast<double>(i));
    };
    const bool a_first = i % 2 == 0;
    (a_first ? a : b).push_back(sample());
    (a_first ? b : a).push_back(sample());
  }
  return {a, b};
}

TEST(SpeedGate, NeverFiresOnTheSameCode) {
  int verdicts = 0;
  for (uint64_t run = 0; run < 200; ++run) {
    const auto [a, b] = SameCodeTwice(run, 30);
    const SpeedRatio ratio = ComparePaired(a, b, run);
    EXPECT_NE(JudgeSlowdown(ratio, 0.05).state, GateState::kFailed) << "run " << run;
    verdicts += ratio.verdict != SpeedVerdict::kCannotTell;
  }
  // A 95 % interval misses 1 in 10 of 200 runs; three standard deviations of that are 9 more.
  EXPECT_LE(verdicts, 19);
}

TEST(SpeedGate, FiresOnCodeThatIsATenthSlower) {
  int fired = 0;
  for (uint64_t run = 0; run < 200; ++run) {
    const auto [a, b] = SameCodeTwice(run, 60);
    fired +=
        JudgeSlowdown(ComparePaired(a, Scaled(b, 1.10), run), 0.05).state == GateState::kFailed;
  }
  EXPECT_GE(fired, 190);
}

}  // namespace
}  // namespace vernier
