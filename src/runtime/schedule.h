// When the steps of a plan run, and on how many threads. Steps of the trunk run one after the other
// on all threads; the branches that lie between them run side by side, on lanes that share the
// threads. Pure functions.
#pragma once

#include <span>
#include <vector>

namespace vernier {

/// Steps come in a topological order.
struct StepToPlace {
  int branch = 0;                 // 0: the trunk
  double cost = 0;                // in any unit, the same for all
  std::vector<int> predecessors;  // steps that must be finished before it starts
};

struct StepPlace {
  int phase = 0;
  int lane = 0;
};

struct Schedule {
  /// For each phase the threads of each lane. A phase begins when the one before is finished.
  std::vector<std::vector<int>> lane_threads;
  std::vector<StepPlace> places;  // by step
  std::vector<int> order;         // the steps, phase by phase, in a topological order
};

/// All steps one after the other on all threads.
Schedule SerialSchedule(int steps, int threads);

/// A step runs in the earliest phase of its kind, trunk or branches, that its predecessors allow.
/// The branches of a phase, costliest first, each go to the lane with the least to do, and the
/// number of lanes is the one that ends soonest if threads share a lane's work evenly.
Schedule ParallelSchedule(std::span<const StepToPlace> steps, int threads);

}  // namespace vernier
