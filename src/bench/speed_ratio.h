// Is B slower than A? Ratios of times with a bootstrap interval, a verdict, and the gate that
// fires on them. Resampling keeps neighbouring samples together (circular blocks of about the
// cube root of their number), because noise on a machine comes in stretches. Pure functions;
// the same seed gives the same interval everywhere.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bench/statistics.h"

namespace vernier {

inline constexpr std::string_view kPairedMethod =
    "median of B / A over pairs taken alternately; block bootstrap of the pairs, 2000 resamples, "
    "95 %";
inline constexpr std::string_view kSeparateMethod =
    "median of B / median of A; block bootstrap of each side, 2000 resamples, 95 %";

/// Fewer samples a side cannot tell anything: the interval of a median needs some to leave out.
inline constexpr size_t kLeastPairs = 10;

enum class SpeedVerdict { kFaster, kSlower, kCannotTell };
/// "faster", "slower", "cannot tell".
const char* Name(SpeedVerdict verdict);

struct SpeedRatio {
  bool paired = false;
  size_t a_samples = 0;
  size_t b_samples = 0;
  double ratio = 1;  // B's time over A's: below 1, B is faster
  Interval interval;
  SpeedVerdict verdict = SpeedVerdict::kCannotTell;
};

/// Sample i of both sides was taken in the same turn. Throws Error{kInternal} for different counts.
SpeedRatio ComparePaired(std::span<const double> a_ms, std::span<const double> b_ms,
                         uint64_t seed = 1);

/// Samples taken at different times: drift between them is not in the interval.
SpeedRatio CompareSeparate(std::span<const double> a_ms, std::span<const double> b_ms,
                           uint64_t seed = 1);

/// "B is 1.93 times as fast (B/A 0.518, 95 % interval 0.512 to 0.523)".
std::string InWords(const SpeedRatio& ratio);

enum class GateState { kPassed, kFailed, kInconclusive };
/// "passed", "failed", "inconclusive".
const char* Name(GateState state);

struct SpeedGate {
  GateState state = GateState::kInconclusive;
  std::string why;
};

/// Fails only when the whole interval lies beyond the bound (0.05: five per cent slower), passes
/// only when the whole interval lies within it.
SpeedGate JudgeSlowdown(const SpeedRatio& ratio, double bound);

}  // namespace vernier
