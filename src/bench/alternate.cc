#include "bench/alternate.h"

#include <numeric>

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

std::vector<Timing> TimeAlternately(std::span<const TimedRun> sides,
                                    const AlternateOptions& options) {
  std::vector<Timing> timings;
  for (const TimedRun& run : sides) timings.push_back(WarmUpSide(run, options.warm_up));
  std::vector<double> turn_ms(sides.size());
  double sum_ms = 0;
  for (int turn = 0; turn < options.turns || sum_ms < options.min_ms; ++turn) {
    if (options.progress) options.progress(turn);
    for (size_t i = 0; i < sides.size() && !Interrupted(); ++i) {
      const size_t side = turn % 2 == 0 ? i : sides.size() - 1 - i;
      turn_ms[side] = SettledSample(sides[side]);
    }
    for (size_t i = 0; i < sides.size(); ++i) {
      timings[i].complete = !Interrupted();
      if (timings[i].complete) timings[i].samples_ms.push_back(turn_ms[i]);
    }
    if (Interrupted()) break;
    sum_ms = std::reduce(turn_ms.begin(), turn_ms.end(), sum_ms);
  }
  return timings;
}

}  // namespace vernier
