#include "bench/alternate.h"

#include <string>

#include "core/interrupt.h"

namespace vernier {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

using Sides = std::vector<TimedRun>;

constexpr WarmUpRule kOneRun{.least_runs = 1, .until_steady = false};

TEST(Alternate, TakesTurnsAndRunsEachSideOnceUntimed) {
  std::string order;
  const auto a = [&] { return order += 'a', 10.0; };
  const auto b = [&] { return order += 'b', 20.0; };
  const auto timing = TimeAlternately(Sides{a, b}, {.warm_up = kOneRun, .turns = 3});
  EXPECT_EQ(order,
            "ab"
            "aabb"
            "bbaa"
            "aabb");
  EXPECT_THAT(timing[0].samples_ms, SizeIs(3));
  EXPECT_THAT(timing[0].samples_ms, Each(10));
  EXPECT_THAT(timing[1].samples_ms, Each(20));
  EXPECT_EQ(timing[1].first_run_ms, 20);
}

TEST(Alternate, GoesThereAndBackOverMoreThanTwoSides) {
  std::string order;
  const auto side = [&](char name) {
    return [&order, name] { return order += name, static_cast<double>(name); };
  };
  const auto timing =
      TimeAlternately(Sides{side('a'), side('b'), side('c')}, {.warm_up = kOneRun, .turns = 2});
  EXPECT_EQ(order,
            "abc"
            "aabbcc"
            "ccbbaa");
  ASSERT_THAT(timing, SizeIs(3));
  EXPECT_THAT(timing[2].samples_ms, Each('c'));
}

TEST(Alternate, GoesOnUntilTheTimeAskedForIsFull) {
  const auto run = [] { return 10.0; };
  EXPECT_THAT(TimeAlternately(Sides{run, run}, {.warm_up = kOneRun, .turns = 1, .min_ms = 1000})[0]
                  .samples_ms,
              SizeIs(50));
}

TEST(Alternate, WarmsUpEachSideUntilItIsSteady) {
  int calls = 0;
  const auto settling = [&] { return ++calls < 20 ? 100.0 / calls : 5.0; };
  const auto timing = TimeAlternately(Sides{settling, [] { return 1.0; }}, {.turns = 1});
  EXPECT_EQ(timing[0].warm_up.steadiness, Steadiness::kSteady);
  EXPECT_GT(timing[0].warm_up.runs, 20);
  EXPECT_EQ(timing[1].warm_up.runs, 10);
}

TEST(Alternate, DropsATurnThatAnInterruptCut) {
  int calls = 0;
  const auto a = [] { return 1.0; };
  const auto b = [&] {
    if (++calls == 6) InterruptFlag() = true;
    return 1.0;
  };
  const auto timing = TimeAlternately(Sides{a, b}, {.warm_up = kOneRun, .turns = 100});
  InterruptFlag() = false;
  EXPECT_FALSE(timing[0].complete);
  EXPECT_EQ(timing[0].samples_ms.size(), timing[1].samples_ms.size());
  EXPECT_LT(timing[0].samples_ms.size(), 100u);
}

}  // namespace
}  // namespace vernier
