#include "bench/alternate.h"

#include <vector>

#include "core/interrupt.h"

namespace vernier {
namespace {

Timing WarmUpSide(const TimedRun& run, const WarmUpRule& rule) {
  std::vector<double> runs_ms = {run()};
  while (!Interrupted() && NeedsMoreWarmUp(runs_ms, rule)) runs_ms.push_back(run());
  return {.first_run_ms = runs_ms[0], .warm_up = Describe(runs_ms, rule), .samples_ms = {}};
}

double SettledSample(const TimedRun& run) {
  run();
  return run();
}

}  // namespace

AlternateTiming TimeAlternately(const TimedRun& a, const TimedRun& b,
                                const AlternateOptions& options) {
  AlternateTiming timing{.a = WarmUpSide(a, options.warm_up), .b = WarmUpSide(b, options.warm_up)};
  double sum_ms = 0;
  for (int pair = 0; pair < options.pairs || sum_ms < options.min_ms; ++pair) {
    if (options.progress) options.progress(pair);
    const bool a_first = pair % 2 == 0;
    const double first_ms = SettledSample(a_first ? a : b);
    const double second_ms = Interrupted() ? 0 : SettledSample(a_first ? b : a);
    if (Interrupted()) {
      timing.a.complete = timing.b.complete = false;
      break;
    }
    timing.a.samples_ms.push_back(a_first ? first_ms : second_ms);
    timing.b.samples_ms.push_back(a_first ? second_ms : first_ms);
    sum_ms += first_ms + second_ms;
  }
  return timing;
}

}  // namespace vernier
