// The one way that anything here is timed: a first run, warm-up until steady, then samples, on a
// steady clock. Stops early, with the samples so far, when the process is asked to stop.
#pragma once

#include <functional>
#include <vector>

#include "bench/clock.h"
#include "bench/warm_up.h"

namespace vernier {

struct TimingOptions {
  WarmUpRule warm_up = {};
  int runs = 20;      // samples at least
  double min_ms = 0;  // and as long at least, samples only
  /// Called before each sample with its number, for progress and calibration; not timed.
  std::function<void(int)> before_sample = {};
  Clock* clock = &SteadyClock();
};

struct Timing {
  double first_run_ms = 0;  // the first call of all: page faults and cold caches included
  WarmUp warm_up;
  std::vector<double> samples_ms;
  bool complete = true;  // false when an interrupt cut the samples short
};

/// Milliseconds that one call takes.
double TimeOnce(const std::function<void()>& work, Clock& clock = SteadyClock());

/// The first run counts as one of the warm-up runs.
Timing TimeRepeatedly(const std::function<void()>& work, const TimingOptions& options);

}  // namespace vernier
