#include "bench/speed_ratio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "core/check.h"

namespace vernier {
namespace {

constexpr int kResamples = 2000;
constexpr double kTailPercent = 2.5;

// Positions of one resample: blocks that begin anywhere and go round.
class BlockResampler {
 public:
  explicit BlockResampler(size_t count)
      : count_(count), block_(static_cast<size_t>(std::ceil(std::cbrt(count)))) {}

  void Draw(std::mt19937_64& random, std::span<const double> from, std::vector<double>& into) {
    into.clear();
    while (into.size() < count_) {
      const size_t begin = static_cast<size_t>(random() % count_);
      for (size_t i = 0; i < block_ && into.size() < count_; ++i) {
        into.push_back(from[(begin + i) % count_]);
      }
    }
  }

 private:
  size_t count_;
  size_t block_;
};

double MedianInPlace(std::vector<double>& values) {
  std::ranges::sort(values);
  return Percentile(values, 50);
}

Interval Bootstrap(uint64_t seed, const std::function<double(std::mt19937_64&)>& statistic) {
  std::mt19937_64 random(seed);
  std::vector<double> values(kResamples);
  for (double& value : values) value = statistic(random);
  std::ranges::sort(values);
  return {Percentile(values, kTailPercent), Percentile(values, 100 - kTailPercent)};
}

SpeedVerdict Judge(const SpeedRatio& ratio) {
  if (std::min(ratio.a_samples, ratio.b_samples) < kLeastPairs) return SpeedVerdict::kCannotTell;
  if (ratio.interval.high < 1) return SpeedVerdict::kFaster;
  if (ratio.interval.low > 1) return SpeedVerdict::kSlower;
  return SpeedVerdict::kCannotTell;
}

std::string IntervalText(const SpeedRatio& ratio) {
  return fmt::format("B/A {:.3f}, 95 % interval {:.3f} to {:.3f}", ratio.ratio, ratio.interval.low,
                     ratio.interval.high);
}

}  // namespace

const char* Name(SpeedVerdict verdict) {
  switch (verdict) {
    case SpeedVerdict::kFaster:
      return "faster";
    case SpeedVerdict::kSlower:
      return "slower";
    case SpeedVerdict::kCannotTell:
      return "cannot tell";
  }
  return "";
}

const char* Name(GateState state) {
  switch (state) {
    case GateState::kPassed:
      return "passed";
    case GateState::kFailed:
      return "failed";
    case GateState::kInconclusive:
      return "inconclusive";
  }
  return "";
}

SpeedRatio ComparePaired(std::span<const double> a_ms, std::span<const double> b_ms,
                         uint64_t seed) {
  VN_CHECK(a_ms.size() == b_ms.size() && !a_ms.empty(), "pairs need two sides");
  std::vector<double> ratios(a_ms.size());
  std::ranges::transform(b_ms, a_ms, ratios.begin(), std::divides<>());
  BlockResampler resampler(ratios.size());
  std::vector<double> drawn;
  SpeedRatio result{.paired = true, .a_samples = a_ms.size(), .b_samples = b_ms.size()};
  result.ratio = Median(ratios);
  result.interval = Bootstrap(seed, [&](std::mt19937_64& random) {
    resampler.Draw(random, ratios, drawn);
    return MedianInPlace(drawn);
  });
  result.verdict = Judge(result);
  return result;
}

SpeedRatio CompareSeparate(std::span<const double> a_ms, std::span<const double> b_ms,
                           uint64_t seed) {
  VN_CHECK(!a_ms.empty() && !b_ms.empty(), "both sides need samples");
  BlockResampler resample_a(a_ms.size()), resample_b(b_ms.size());
  std::vector<double> a, b;
  SpeedRatio result{.paired = false, .a_samples = a_ms.size(), .b_samples = b_ms.size()};
  result.ratio = Median(b_ms) / Median(a_ms);
  result.interval = Bootstrap(seed, [&](std::mt19937_64& random) {
    resample_a.Draw(random, a_ms, a);
    resample_b.Draw(random, b_ms, b);
    return MedianInPlace(b) / MedianInPlace(a);
  });
  result.verdict = Judge(result);
  return result;
}

std::string InWords(const SpeedRatio& ratio) {
  switch (ratio.verdict) {
    case SpeedVerdict::kFaster:
      return fmt::format("B is {:.2f} times as fast as A ({})", 1 / ratio.ratio,
                         IntervalText(ratio));
    case SpeedVerdict::kSlower:
      return fmt::format("B takes {:.2f} times as long as A ({})", ratio.ratio,
                         IntervalText(ratio));
    case SpeedVerdict::kCannotTell:
      break;
  }
  const size_t samples = std::min(ratio.a_samples, ratio.b_samples);
  if (samples < kLeastPairs) {
    return fmt::format("cannot tell: {} samples a side, at least {} are needed ({})", samples,
                       kLeastPairs, IntervalText(ratio));
  }
  return fmt::format("cannot tell which is faster ({})", IntervalText(ratio));
}

SpeedGate JudgeSlowdown(const SpeedRatio& ratio, double bound) {
  const double limit = 1 + bound;
  const std::string limit_text = fmt::format("{:g} %", bound * 100);
  if (std::min(ratio.a_samples, ratio.b_samples) < kLeastPairs) {
    return {GateState::kInconclusive,
            fmt::format("too few samples to say whether B is more than {} slower: at least {} "
                        "a side are needed",
                        limit_text, kLeastPairs)};
  }
  if (ratio.interval.low > limit) {
    return {GateState::kFailed,
            fmt::format("B is more than {} slower than A ({}); it would pass at {:.1f} %",
                        limit_text, IntervalText(ratio), (ratio.interval.high - 1) * 100)};
  }
  if (ratio.interval.high <= limit) {
    return {GateState::kPassed, fmt::format("B is not more than {} slower than A ({})", limit_text,
                                            IntervalText(ratio))};
  }
  return {GateState::kInconclusive,
          fmt::format("the interval holds both sides of {} slower ({}); more runs narrow it",
                      limit_text, IntervalText(ratio))};
}

}  // namespace vernier
