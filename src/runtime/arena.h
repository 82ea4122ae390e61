// Places values in one arena. Two values share bytes only when every use of the one happens before
// the definition of the other; the order of steps is partial, so that parallel branches are safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vernier {

/// For each step, the steps that must be finished before it starts. Indices are topological.
class HappensBefore {
 public:
  explicit HappensBefore(const std::vector<std::vector<int>>& predecessors);

  /// True when step `a` is always finished before step `b` starts.
  bool operator()(int a, int b) const;

 private:
  size_t words_;
  std::vector<uint64_t> reached_;  // bit a of row b
};

struct ArenaValue {
  size_t bytes = 0;
  int definition = 0;     // step that writes it
  std::vector<int> uses;  // steps that read it; a value that leaves the plan is used by step `end`
};

struct ArenaPlan {
  std::vector<size_t> offsets;  // by value, 64-byte aligned
  size_t bytes = 0;
};

/// First fit, largest value first. `steps` is the number of steps; a use at index `steps` keeps
/// the value to the end of the run.
ArenaPlan PlaceInArena(const std::vector<ArenaValue>& values, const HappensBefore& before,
                       int steps);

}  // namespace vernier
