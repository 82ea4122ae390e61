#include "bench/timing_loop.h"

#include "core/interrupt.h"

namespace vernier {

double TimeOnce(const std::function<void()>& work, Clock& clock) {
  const double start_ms = clock.NowMs();
  work();
  return clock.NowMs() - start_ms;
}

Timing TimeRepeatedly(const std::function<void()>& work, const TimingOptions& options) {
  Timing timing;
  std::vector<double> warm_up_ms = {TimeOnce(work, *options.clock)};
  timing.first_run_ms = warm_up_ms[0];
  while (!Interrupted() && NeedsMoreWarmUp(warm_up_ms, options.warm_up)) {
    warm_up_ms.push_back(TimeOnce(work, *options.clock));
  }
  timing.warm_up = Describe(warm_up_ms, options.warm_up);
  timing.samples_ms.reserve(static_cast<size_t>(options.runs));
  double sum_ms = 0;
  for (int i = 0; i < options.runs || sum_ms < options.min_ms; ++i) {
    if (Interrupted()) {
      timing.complete = false;
      break;
    }
    if (options.before_sample) options.before_sample(i);
    timing.samples_ms.push_back(TimeOnce(work, *options.clock));
    sum_ms += timing.samples_ms.back();
  }
  return timing;
}

}  // namespace vernier
