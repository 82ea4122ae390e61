#include "core/parallel.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
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

TEST(ParallelTeams, RunsEachBodyOnceAndSplitsItsWorkOverItsTeam) {
  const std::vector<int> sizes = {2, 1, 3};
  std::vector<std::vector<std::atomic<int>>> visits;
  for (size_t team = 0; team < sizes.size(); ++team) visits.emplace_back(100);
  std::vector<std::atomic<int>> pieces(sizes.size());
  const bool enough = ParallelTeams(sizes, [&](int team) {
    const auto at = static_cast<size_t>(team);
    for (int round = 0; round < 50; ++round) {
      ParallelFor(3, 100, 1, [&](int64_t begin, int64_t end) {
        ++pieces[at];
        for (int64_t i = begin; i < end; ++i) ++visits[at][static_cast<size_t>(i)];
      });
    }
  });
  ASSERT_TRUE(enough);
  for (size_t team = 0; team < sizes.size(); ++team) {
    EXPECT_EQ(pieces[team], 50 * sizes[team]);
    for (auto& visit : visits[team]) EXPECT_EQ(visit, 50);
  }
}

TEST(ParallelTeams, RunsInlineWhatIsParallelWithinParallelWork) {
  const std::vector<int> sizes = {2, 1};
  std::vector<std::atomic<int>> visits(24);
  const bool enough = ParallelTeams(sizes, [&](int team) {
    if (team != 0) return;
    for (int round = 0; round < 50; ++round) {
      ParallelFor(2, 4, 1, [&](int64_t first, int64_t last) {
        for (int64_t outer = first; outer < last; ++outer) {
          ParallelFor(2, 6, 1, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(6 * outer + i)];
          });
        }
      });
    }
  });
  ASSERT_TRUE(enough);
  for (auto& visit : visits) EXPECT_EQ(visit, 50);
}

TEST(ParallelTeams, DoTheSameWorkWhileTheyFetchWhatIsReadNext) {
  const std::vector<int> sizes = {3};
  for (const size_t bytes : {0, 1, 2, 100, 4097, 3000001}) {
    const std::vector<std::byte> memory(bytes);
    const UpcomingRead read = memory;
    std::vector<std::atomic<int>> visits(100);
    const bool enough = ParallelTeams(sizes, [&](int) {
      for (int round = 0; round < 20; ++round) {
        FetchWhileWaiting(round % 4 == 3 ? nullptr : &read);
        std::this_thread::sleep_for(std::chrono::microseconds(round * 10));
        ParallelFor(3, 100, 1, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
        });
      }
    });
    ASSERT_TRUE(enough);
    for (auto& visit : visits) EXPECT_EQ(visit, 20) << bytes;
  }
}

TEST(FetchWhileWaiting, DoesNothingWithoutATeam) {
  const UpcomingRead nothing;
  FetchWhileWaiting(&nothing);
  FetchWhileWaiting(nullptr);
}

TEST(ParallelTeams, RunsNothingWithinAnotherRegionWhichHasNoThreadsToGive) {
  std::atomic<int> runs = 0, refused = 0;
  ParallelWorkers(2, [&](int) {
    const std::vector<int> sizes = {1, 1};
    if (!ParallelTeams(sizes, [&](int) { ++runs; })) ++refused;
  });
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(refused, 2);
}

TEST(AvailableThreads, IsAtLeastOne) { EXPECT_GE(AvailableThreads(), 1); }

}  // namespace
}  // namespace vernier
