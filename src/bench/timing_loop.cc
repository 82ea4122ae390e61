#include "bench/timing_loop.h"

#include <chrono>

#include "core/interrupt.h"

namespace vernier {

double TimeOnce(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto end = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::milli>(end - start).count();
}

Timing TimeRepeatedly(const std::function<void()>& work, const TimingOptions& options) {
  Timing timing;
  timing.first_run_ms = TimeOnce(work);
  for (int i = 1; i < options.warmup && !Interrupted(); ++i) work();
  timing.samples_ms.reserve(static_cast<size_t>(options.runs));
  for (int i = 0; i < options.runs; ++i) {
    if (Interrupted()) {
      timing.complete = false;
      break;
    }
    if (options.before_sample) options.before_sample(i);
    timing.samples_ms.push_back(TimeOnce(work));
  }
  return timing;
}

}  // namespace vernier
