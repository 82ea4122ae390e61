// When a machine has warmed up: runs are looked at in windows, and two neighbouring windows whose
// medians lie close together count as steady. A cap ends a warm-up that never gets there; which of
// the two it was is part of every result. Pure but for the runs themselves.
#pragma once

#include <span>
#include <string>

namespace vernier {

struct WarmUpRule {
  int least_runs = 3;        // the first run of all counts
  bool until_steady = true;  // false: exactly `least_runs`
  int window_runs = 5;
  double within = 0.02;  // of the earlier window's median
  int most_runs = 100;
  double most_ms = 10'000;
};

enum class Steadiness {
  kSteady,      // two neighbouring windows agreed
  kNotReached,  // the cap came first
  kNotJudged,   // too few runs for two windows
};
/// "steady", "not reached", "not judged".
const char* Name(Steadiness steadiness);

struct WarmUp {
  int runs = 0;
  double ms = 0;
  Steadiness steadiness = Steadiness::kNotJudged;
};

/// Whether the last two windows of `runs_ms` agree.
Steadiness JudgeSteadiness(std::span<const double> runs_ms, const WarmUpRule& rule);

/// Whether another warm-up run is due after `runs_ms`.
bool NeedsMoreWarmUp(std::span<const double> runs_ms, const WarmUpRule& rule);

/// What was done, for a result.
WarmUp Describe(std::span<const double> runs_ms, const WarmUpRule& rule);

/// The rule in words, for reports and JSON.
std::string InWords(const WarmUpRule& rule);

}  // namespace vernier
