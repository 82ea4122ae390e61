#include "backends/cpu/work_shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/parallel.h"

namespace vernier {
namespace {

constexpr int64_t kRow = 7;

// How often each unit was taken when `threads` take all they can get.
std::vector<int> Taken(int64_t units, int threads) {
  std::vector<WorkShare> shares(static_cast<size_t>(threads));
  DealUnits(units, shares);
  std::vector<int> taken(static_cast<size_t>(units));
  ParallelFor(threads, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      while (true) {
        const UnitRange next = NextUnits(shares, static_cast<int>(slot), 2, kRow);
        if (next.empty()) break;
        for (int64_t unit = next.begin; unit < next.end; ++unit) ++taken[static_cast<size_t>(unit)];
      }
    }
  });
  return taken;
}

TEST(WorkShares, GiveEachUnitToOneThread) {
  for (const int64_t units : {0, 1, 2, 6, 7, 8, 1000, 100003}) {
    for (const int threads : {1, 2, 3, 8}) {
      const std::vector<int> taken = Taken(units, threads);
      EXPECT_EQ(std::ranges::count(taken, 1), units) << units << " units, " << threads;
    }
  }
}

TEST(WorkShares, AreWorkedThroughInOrderAndUpToTheEndOfARow) {
  WorkShare share;
  share.Set({10, 40});
  int64_t at = 10;
  while (true) {
    const UnitRange next = share.Take(2, kRow);
    if (next.empty()) break;
    EXPECT_EQ(next.begin, at);
    EXPECT_EQ(next.begin / kRow, (next.end - 1) / kRow);
    at = next.end;
  }
  EXPECT_EQ(at, 40);
}

TEST(WorkShares, LeaveHalfOfTheLastRowToOthersUntilLittleIsLeft) {
  WorkShare share;
  share.Set({0, 8});
  EXPECT_EQ(share.Take(3, 100).end, 4);
  EXPECT_EQ(share.Take(3, 100).end, 7);
  EXPECT_EQ(share.Take(3, 100).end, 8);
  EXPECT_TRUE(share.Take(3, 100).empty());
}

TEST(WorkShares, AreTakenOverFromTheRearByWhoHasNoneLeft) {
  WorkShare shares[2];
  DealUnits(40, shares);
  while (!shares[1].Take(100, 100).empty()) continue;

  const UnitRange taken_over = NextUnits(shares, 1, 100, 100);

  EXPECT_EQ(taken_over.begin, 10);
  EXPECT_EQ(taken_over.end, 20);
  EXPECT_EQ(NextUnits(shares, 0, 100, 100).end, 10);
}

TEST(WorkShares, KeepTheirLastUnit) {
  WorkShare share;
  share.Set({5, 6});
  EXPECT_TRUE(share.GiveUp().empty());
  EXPECT_EQ(share.Take(1, kRow).begin, 5);
  EXPECT_TRUE(share.GiveUp().empty());
}

}  // namespace
}  // namespace vernier
