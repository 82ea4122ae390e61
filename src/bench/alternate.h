// Two sides timed alternately, in the order AB BA AB …, so that whatever else the machine does hits
// both alike.
#pragma once

#include <functional>

#include "bench/timing_loop.h"

namespace vernier {

/// One run; the milliseconds that it took.
using TimedRun = std::function<double()>;

struct AlternateOptions {
  WarmUpRule warm_up = {};  // of each side alone, before the first pair
  int pairs = 20;
  double min_ms = 0;  // of all samples of both sides together
  std::function<void(int done)> progress = {};
};

struct AlternateTiming {
  Timing a;  // sample i of both was taken in the same turn
  Timing b;
};

/// Before each sample its side runs once untimed, so that caches and the team of threads are its
/// own again. An interrupt drops a pair that is not whole.
AlternateTiming TimeAlternately(const TimedRun& a, const TimedRun& b,
                                const AlternateOptions& options);

}  // namespace vernier
