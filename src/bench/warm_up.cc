#include "bench/warm_up.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "bench/statistics.h"

namespace vernier {

const char* Name(Steadiness steadiness) {
  switch (steadiness) {
    case Steadiness::kSteady:
      return "steady";
    case Steadiness::kNotReached:
      return "not reached";
    case Steadiness::kNotJudged:
      return "not judged";
  }
  return "";
}

Steadiness JudgeSteadiness(std::span<const double> runs_ms, const WarmUpRule& rule) {
  const size_t window = static_cast<size_t>(rule.window_runs);
  if (runs_ms.size() < 2 * window) return Steadiness::kNotJudged;
  const double later = Median(runs_ms.last(window));
  const double earlier = Median(runs_ms.last(2 * window).first(window));
  const bool close = std::abs(later - earlier) <= rule.within * earlier;
  return close ? Steadiness::kSteady : Steadiness::kNotReached;
}

bool NeedsMoreWarmUp(std::span<const double> runs_ms, const WarmUpRule& rule) {
  const int runs = static_cast<int>(runs_ms.size());
  if (runs < rule.least_runs) return true;
  if (!rule.until_steady || runs >= rule.most_runs) return false;
  if (std::reduce(runs_ms.begin(), runs_ms.end()) >= rule.most_ms) return false;
  return JudgeSteadiness(runs_ms, rule) != Steadiness::kSteady;
}

WarmUp Describe(std::span<const double> runs_ms, const WarmUpRule& rule) {
  return {.runs = static_cast<int>(runs_ms.size()),
          .ms = std::reduce(runs_ms.begin(), runs_ms.end()),
          .steadiness = JudgeSteadiness(runs_ms, rule)};
}

std::string InWords(const WarmUpRule& rule) {
  const std::string judged =
      fmt::format("steady: the medians of the last two windows of {} runs differ by at most {:g} %",
                  rule.window_runs, rule.within * 100);
  if (!rule.until_steady) return fmt::format("{} runs; {}", rule.least_runs, judged);
  return fmt::format("at least {} runs and until steady, at most {} runs or {:g} s; {}",
                     rule.least_runs, rule.most_runs, rule.most_ms / 1000, judged);
}

}  // namespace vernier
