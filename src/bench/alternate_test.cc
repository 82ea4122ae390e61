#include "bench/alternate.h"

#include <string>

#include "core/interrupt.h"

namespace vernier {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

constexpr WarmUpRule kOneRun{.least_runs = 1, .until_steady = false};

TEST(Alternate, TakesTurnsAndRunsEachSideOnceUntimed) {
  std::string order;
  const auto a = [&] { return order += 'a', 10.0; };
  const auto b = [&] { return order += 'b', 20.0; };
  const AlternateTiming timing = TimeAlternately(a, b, {.warm_up = kOneRun, .pairs = 3});
  EXPECT_EQ(order,
            "ab"
            "aabb"
            "bbaa"
            "aabb");
  EXPECT_THAT(timing.a.samples_ms, SizeIs(3));
  EXPECT_THAT(timing.a.samples_ms, Each(10));
  EXPECT_THAT(timing.b.samples_ms, Each(20));
  EXPECT_EQ(timing.b.first_run_ms, 20);
}

TEST(Alternate, GoesOnUntilTheTimeAskedForIsFull) {
  const auto run = [] { return 10.0; };
  EXPECT_THAT(
      TimeAlternately(run, run, {.warm_up = kOneRun, .pairs = 1, .min_ms = 1000}).a.samples_ms,
      SizeIs(50));
}

TEST(Alternate, WarmsUpEachSideUntilItIsSteady) {
  int calls = 0;
  const auto settling = [&] { return ++calls < 20 ? 100.0 / calls : 5.0; };
  const AlternateTiming timing = TimeAlternately(settling, [] { return 1.0; }, {.pairs = 1});
  EXPECT_EQ(timing.a.warm_up.steadiness, Steadiness::kSteady);
  EXPECT_GT(timing.a.warm_up.runs, 20);
  EXPECT_EQ(timing.b.warm_up.runs, 10);
}

TEST(Alternate, DropsAPairThatAnInterruptCut) {
  int calls = 0;
  const auto a = [] { return 1.0; };
  const auto b = [&] {
    if (++calls == 6) InterruptFlag() = true;
    return 1.0;
  };
  const AlternateTiming timing = TimeAlternately(a, b, {.warm_up = kOneRun, .pairs = 100});
  InterruptFlag() = false;
  EXPECT_FALSE(timing.a.complete);
  EXPECT_EQ(timing.a.samples_ms.size(), timing.b.samples_ms.size());
  EXPECT_LT(timing.a.samples_ms.size(), 100u);
}

}  // namespace
}  // namespace vernier
