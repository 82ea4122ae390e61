#include "bench/timing_loop.h"

#include "core/interrupt.h"
#include "support/fake_clock.h"

namespace vernier {
namespace {

using ::testing::Each;
using testing::FakeClock;
using ::testing::SizeIs;
using testing::WorkTaking;

constexpr WarmUpRule kThreeRuns{.least_runs = 3, .until_steady = false};

TEST(TimingLoop, CountsTheFirstRunAsWarmUp) {
  FakeClock clock;
  int calls = 0;
  const auto work = [&] { clock.Advance(++calls == 1 ? 50 : 10); };
  const Timing timing = TimeRepeatedly(work, {.warm_up = kThreeRuns, .runs = 5, .clock = &clock});
  EXPECT_EQ(calls, 8);
  EXPECT_DOUBLE_EQ(timing.first_run_ms, 50);
  EXPECT_EQ(timing.warm_up.runs, 3);
  EXPECT_DOUBLE_EQ(timing.warm_up.ms, 70);
  EXPECT_THAT(timing.samples_ms, SizeIs(5));
  EXPECT_THAT(timing.samples_ms, Each(10));
  EXPECT_TRUE(timing.complete);
}

TEST(TimingLoop, GoesOnUntilTheTimeAskedForIsFull) {
  FakeClock clock;
  const Timing timing =
      TimeRepeatedly(WorkTaking(clock, [](int) { return 10.0; }),
                     {.warm_up = kThreeRuns, .runs = 5, .min_ms = 1000, .clock = &clock});
  EXPECT_THAT(timing.samples_ms, SizeIs(100));
}

TEST(TimingLoop, DoesNotTimeWhatComesBetweenSamples) {
  FakeClock clock;
  const Timing timing = TimeRepeatedly(WorkTaking(clock, [](int) { return 10.0; }),
                                       {.warm_up = kThreeRuns,
                                        .runs = 4,
                                        .before_sample = [&](int) { clock.Advance(1000); },
                                        .clock = &clock});
  EXPECT_THAT(timing.samples_ms, Each(10));
}

TEST(TimingLoop, KeepsTheSamplesSoFarWhenInterrupted) {
  FakeClock clock;
  int calls = 0;
  const auto work = [&] {
    clock.Advance(1);
    if (++calls == 6) InterruptFlag() = true;
  };
  const Timing timing = TimeRepeatedly(work, {.warm_up = kThreeRuns, .runs = 100, .clock = &clock});
  InterruptFlag() = false;
  EXPECT_THAT(timing.samples_ms, SizeIs(3));
  EXPECT_FALSE(timing.complete);
}

}  // namespace
}  // namespace vernier
