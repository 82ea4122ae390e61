#include "bench/stream_loop.h"

#include <atomic>
#include <vector>

#include "core/interrupt.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr WarmUpRule kTwoRuns{.least_runs = 2, .until_steady = false};

TEST(StreamLoop, TakesTheSamplesOfAllStreamsTogether) {
  std::atomic<int> first = 0, second = 0;
  const std::vector<std::function<void()>> works = {[&] { ++first; }, [&] { ++second; }};
  const StreamTiming streams = TimeStreams(works, {.warm_up = kTwoRuns, .runs = 50});
  EXPECT_GE(streams.timing.samples_ms.size(), 50u);
  EXPECT_LE(streams.timing.samples_ms.size(), 51u);  // the other stream finishes what it began
  EXPECT_EQ(static_cast<size_t>(first + second), streams.timing.samples_ms.size() + 4);
  EXPECT_GE(first, 2);
  EXPECT_GE(second, 2);
  EXPECT_EQ(streams.timing.warm_up.runs, 2);
  EXPECT_TRUE(streams.timing.complete);
  EXPECT_GE(streams.wall_ms, 0);
}

TEST(StreamLoop, EndsAllStreamsWhenOneFails) {
  const std::vector<std::function<void()>> works = {[] {},
                                                    [calls = 0]() mutable {
                                                      if (++calls == 3)
                                                        throw Error(ErrorKind::kInput,
                                                                    "the second stream broke");
                                                    }};
  try {
    TimeStreams(works, {.warm_up = kTwoRuns, .runs = 1'000'000'000});
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the second stream broke");
  }
}

TEST(StreamLoop, KeepsWhatItHasWhenInterrupted) {
  std::atomic<int> calls = 0;
  const auto work = [&] {
    if (++calls == 100) InterruptFlag() = true;
  };
  const std::vector<std::function<void()>> works = {work, work};
  const StreamTiming streams = TimeStreams(works, {.warm_up = kTwoRuns, .runs = 1'000'000'000});
  InterruptFlag() = false;
  EXPECT_FALSE(streams.timing.complete);
  EXPECT_FALSE(streams.timing.samples_ms.empty());
}

}  // namespace
}  // namespace vernier
