// The one way that anything here is timed: a first run, warm-up, then samples, on a steady clock.
// Stops early, with the samples so far, when the process is asked to stop.
#pragma once

#include <functional>
#include <vector>

namespace vernier {

struct TimingOptions {
  int warmup = 3;
  int runs = 20;
  /// Called before each sample with its number, for progress; not timed.
  std::function<void(int)> before_sample = {};
};

struct Timing {
  double first_run_ms = 0;  // the first call of all: packing, page faults, cold caches included
  std::vector<double> samples_ms;
  bool complete = true;  // false when an interrupt cut the samples short
};

/// Milliseconds that one call takes.
double TimeOnce(const std::function<void()>& work);

/// The first run counts as one of the warm-up runs.
Timing TimeRepeatedly(const std::function<void()>& work, const TimingOptions& options);

}  // namespace vernier
