#include "runtime/arena.h"

namespace vernier {
namespace {

// A chain of steps 0 -> 1 -> 2 -> 3.
HappensBefore Chain() { return HappensBefore({{}, {0}, {1}, {2}}); }

bool Overlap(const ArenaPlan& plan, const std::vector<ArenaValue>& values, size_t a, size_t b) {
  return plan.offsets[a] < plan.offsets[b] + values[b].bytes &&
         plan.offsets[b] < plan.offsets[a] + values[a].bytes;
}

TEST(HappensBefore, FollowsPathsAndOnlyPaths) {
  const HappensBefore before({{}, {}, {0}, {2}});
  EXPECT_TRUE(before(0, 3));
  EXPECT_FALSE(before(1, 3));
  EXPECT_FALSE(before(3, 0));
  EXPECT_FALSE(before(0, 0));
}

TEST(PlaceInArena, GivesTheBytesOfADeadValueToALaterOne) {
  const std::vector<ArenaValue> values = {{1000, 0, {1}}, {1000, 1, {2}}, {1000, 2, {3}}};
  const ArenaPlan plan = PlaceInArena(values, Chain(), 4);
  EXPECT_FALSE(Overlap(plan, values, 0, 1));
  EXPECT_FALSE(Overlap(plan, values, 1, 2));
  EXPECT_EQ(plan.offsets[0], plan.offsets[2]);
  EXPECT_EQ(plan.bytes, 2u * 1024);
}

TEST(PlaceInArena, KeepsAnOutputToTheEnd) {
  const std::vector<ArenaValue> values = {{64, 0, {4}}, {64, 3, {}}};
  const ArenaPlan plan = PlaceInArena(values, Chain(), 4);
  EXPECT_FALSE(Overlap(plan, values, 0, 1));
}

TEST(PlaceInArena, NeverSharesBetweenStepsThatMayRunAtTheSameTime) {
  // Steps 1 and 2 both follow 0 and precede 3; they are not ordered between themselves.
  const HappensBefore before({{}, {0}, {0}, {1, 2}});
  const std::vector<ArenaValue> values = {{128, 1, {3}}, {128, 2, {3}}, {128, 3, {4}}};
  const ArenaPlan plan = PlaceInArena(values, before, 4);
  EXPECT_FALSE(Overlap(plan, values, 0, 1));
}

TEST(PlaceInArena, AlignsEveryValueToACacheLine) {
  const std::vector<ArenaValue> values = {{3, 0, {3}}, {65, 1, {3}}, {1, 2, {3}}};
  for (size_t offset : PlaceInArena(values, Chain(), 4).offsets) EXPECT_EQ(offset % 64, 0u);
}

}  // namespace
}  // namespace vernier
