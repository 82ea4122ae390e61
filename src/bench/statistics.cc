#include "bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "core/check.h"

namespace vernier {
namespace {

constexpr int kResamples = 2000;
constexpr double kTailPercent = 2.5;

std::vector<double> Sorted(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  return sorted;
}

double Mean(std::span<const double> samples) {
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

double SampleDeviation(std::span<const double> samples, double mean) {
  if (samples.size() < 2) return 0;
  double squares = 0;
  for (double sample : samples) squares += (sample - mean) * (sample - mean);
  return std::sqrt(squares / static_cast<double>(samples.size() - 1));
}

// The standard distributions differ between libraries; the engine does not.
size_t Draw(std::mt19937_64& random, size_t count) { return static_cast<size_t>(random() % count); }

}  // namespace

double Percentile(std::span<const double> sorted, double percent) {
  VN_CHECK(!sorted.empty() && percent >= 0 && percent <= 100);
  const double position = percent / 100 * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double Median(std::span<const double> samples) { return Percentile(Sorted(samples), 50); }

Outliers CountOutliers(std::span<const double> sorted) {
  constexpr double kOuterFence = 3;
  const double first = Percentile(sorted, 25), third = Percentile(sorted, 75);
  const double reach = kOuterFence * (third - first);
  const auto low = std::ranges::lower_bound(sorted, first - reach) - sorted.begin();
  const auto high = sorted.end() - std::ranges::upper_bound(sorted, third + reach);
  return {static_cast<size_t>(low), static_cast<size_t>(high)};
}

Interval BootstrapMedian(std::span<const double> samples, uint64_t seed) {
  VN_CHECK(!samples.empty());
  std::mt19937_64 random(seed);
  std::vector<double> medians(kResamples);
  std::vector<double> resample(samples.size());
  for (double& median : medians) {
    for (double& value : resample) value = samples[Draw(random, samples.size())];
    std::ranges::sort(resample);
    median = Percentile(resample, 50);
  }
  std::ranges::sort(medians);
  return {Percentile(medians, kTailPercent), Percentile(medians, 100 - kTailPercent)};
}

Summary Summarize(std::span<const double> samples, uint64_t seed) {
  VN_CHECK(!samples.empty());
  const std::vector<double> sorted = Sorted(samples);
  const double mean = Mean(samples);
  return {.count = samples.size(),
          .min = sorted.front(),
          .max = sorted.back(),
          .mean = mean,
          .median = Percentile(sorted, 50),
          .std = SampleDeviation(samples, mean),
          .p50 = Percentile(sorted, 50),
          .p90 = Percentile(sorted, 90),
          .p95 = Percentile(sorted, 95),
          .p99 = Percentile(sorted, 99),
          .p999 = sorted.size() >= kSamplesForP999 ? std::optional(Percentile(sorted, 99.9))
                                                   : std::nullopt,
          .outliers = CountOutliers(sorted),
          .median_interval = BootstrapMedian(samples, seed)};
}

}  // namespace vernier
