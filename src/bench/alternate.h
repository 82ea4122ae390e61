// Several sides timed in turns, AB BA AB … for two of them, so that whatever else the machine does
// hits all alike.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "bench/timing_loop.h"

namespace vernier {

/// One run; the milliseconds that it took.
using TimedRun = std::function<double()>;

struct AlternateOptions {
  WarmUpRule warm_up = {};  // of each side alone, before the first turn
  int turns = 20;           // of each side
  double min_ms = 0;        // of all samples of all sides together
  std::function<void(int done)> progress = {};
};

/// Sample i of all sides was taken in the same turn; the order goes there and back. Before each
/// sample its side runs once untimed, so that caches and the team of threads are its own again. An
/// interrupt drops a turn that is not whole.
std::vector<Timing> TimeAlternately(std::span<const TimedRun> sides,
                                    const AlternateOptions& options);

}  // namespace vernier
