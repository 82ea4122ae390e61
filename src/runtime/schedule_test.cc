#include "runtime/schedule.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;

// Trunk, three branches, and the trunk's end that joins them.
std::vector<StepToPlace> Fork(double a, double b, double c) {
  return {{.branch = 0, .cost = 5, .predecessors = {}},
          {.branch = 1, .cost = a, .predecessors = {0}},
          {.branch = 2, .cost = b, .predecessors = {0}},
          {.branch = 3, .cost = c, .predecessors = {0}},
          {.branch = 0, .cost = 1, .predecessors = {1, 2, 3}}};
}

std::vector<int> PhasesIn(const Schedule& schedule) {
  std::vector<int> phases;
  for (const StepPlace& place : schedule.places) phases.push_back(place.phase);
  return phases;
}

std::vector<int> LanesIn(const Schedule& schedule) {
  std::vector<int> lanes;
  for (const StepPlace& place : schedule.places) lanes.push_back(place.lane);
  return lanes;
}

TEST(Schedule, GivesTheTrunkAllThreadsAndBranchesAShareEach) {
  const Schedule schedule = ParallelSchedule(Fork(6, 3, 3), 4);
  EXPECT_THAT(PhasesIn(schedule), ElementsAre(0, 1, 1, 1, 2));
  EXPECT_THAT(LanesIn(schedule), ElementsAre(0, 0, 1, 2, 0));
  EXPECT_THAT(schedule.lane_threads,
              ElementsAre(ElementsAre(4), ElementsAre(2, 1, 1), ElementsAre(4)));
}

TEST(Schedule, PutsTheCostliestBranchFirstAndFillsUpTheOtherLane) {
  const Schedule schedule = ParallelSchedule(Fork(2, 7, 4), 2);
  EXPECT_THAT(LanesIn(schedule), ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(schedule.lane_threads[1], ElementsAre(1, 1));
}

TEST(Schedule, TakesFewerLanesWhereOneBranchIsMostOfTheWork) {
  // With three lanes the long branch would have two of four threads and end at 6.
  const Schedule schedule = ParallelSchedule(Fork(12, 1, 1), 4);
  EXPECT_THAT(schedule.lane_threads[1], ElementsAre(3, 1));
}

TEST(Schedule, RunsABranchOnOneThreadAfterTheOther) {
  const Schedule schedule = ParallelSchedule(Fork(6, 3, 3), 1);
  EXPECT_THAT(schedule.lane_threads, ElementsAre(ElementsAre(1), ElementsAre(1), ElementsAre(1)));
}

TEST(Schedule, MovesAStepOfTheTrunkBeforeBranchesThatItDoesNotNeed) {
  std::vector<StepToPlace> steps = Fork(1, 1, 1);
  steps.push_back({.branch = 0, .cost = 1, .predecessors = {0}});
  const Schedule schedule = ParallelSchedule(steps, 2);
  EXPECT_THAT(PhasesIn(schedule), ElementsAre(0, 1, 1, 1, 2, 0));
  EXPECT_THAT(schedule.order, ElementsAre(0, 5, 1, 2, 3, 4));
}

TEST(Schedule, NeedsNoTrunk) {
  const std::vector<StepToPlace> steps = {{.branch = 2, .cost = 1, .predecessors = {}},
                                          {.branch = 1, .cost = 1, .predecessors = {}}};
  EXPECT_THAT(ParallelSchedule(steps, 2).lane_threads, ElementsAre(ElementsAre(1, 1)));
  EXPECT_TRUE(ParallelSchedule({}, 2).lane_threads.empty());
}

TEST(Schedule, IsOnePhaseInOrderWhenSerial) {
  const Schedule schedule = SerialSchedule(3, 2);
  EXPECT_THAT(schedule.lane_threads, ElementsAre(ElementsAre(2)));
  EXPECT_THAT(schedule.order, ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace vernier
