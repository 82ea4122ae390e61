#include "core/parallel.h"

#include <atomic>
#include <vector>

namespace vernier {
namespace {

TEST(ParallelFor, VisitsEachIndexOnceWhateverTheSplit) {
  for (int64_t count : {0, 1, 7, 64, 65}) {
    for (int threads : {1, 2, 5}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      ParallelFor(threads, count, 8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      for (auto& visit : visits) EXPECT_EQ(visit, 1) << count << " on " << threads;
    }
  }
}

TEST(ParallelFor, GivesPiecesThatAreMultiplesOfTheGrain) {
  std::atomic<bool> aligned = true;
  ParallelFor(2, 100, 16, [&](int64_t begin, int64_t) { aligned = aligned && begin % 16 == 0; });
  EXPECT_TRUE(aligned);
}

TEST(AvailableThreads, IsAtLeastOne) { EXPECT_GE(AvailableThreads(), 1); }

}  // namespace
}  // namespace vernier
