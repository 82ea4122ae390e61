#include "bench/timing_loop.h"

#include "core/interrupt.h"

namespace vernier {
namespace {

TEST(TimingLoop, CountsTheFirstRunAsWarmUp) {
  int calls = 0;
  const Timing timing = TimeRepeatedly([&] { ++calls; }, {.warmup = 3, .runs = 5});
  EXPECT_EQ(calls, 8);
  EXPECT_EQ(timing.samples_ms.size(), 5u);
  EXPECT_TRUE(timing.complete);
}

TEST(TimingLoop, KeepsTheSamplesSoFarWhenInterrupted) {
  int calls = 0;
  const auto work = [&] {
    if (++calls == 4) InterruptFlag() = true;
  };
  const Timing timing = TimeRepeatedly(work, {.warmup = 1, .runs = 100});
  InterruptFlag() = false;
  EXPECT_EQ(timing.samples_ms.size(), 3u);
  EXPECT_FALSE(timing.complete);
}

}  // namespace
}  // namespace vernier
