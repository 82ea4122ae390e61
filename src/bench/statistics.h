// What a list of timings says: order statistics, spread, and how sure the median is.
// Percentiles interpolate linearly between order statistics (Hyndman and Fan's type 7, numpy's
// default). Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vernier {

/// How percentiles and intervals are computed, for reports and JSON.
inline constexpr std::string_view kPercentileMethod = "linear interpolation (type 7)";
inline constexpr std::string_view kIntervalMethod =
    "percentile bootstrap of the median, 2000 resamples, 95 %";

/// Which samples are called outliers: Tukey's outer fences. They are counted and kept.
inline constexpr std::string_view kOutlierRule =
    "more than 3 interquartile ranges below the first or above the third quartile";

/// Samples from which on a percentile of 99.9 says more than the maximum does.
inline constexpr size_t kSamplesForP999 = 1000;

struct Outliers {
  size_t low = 0;
  size_t high = 0;
};

struct Interval {
  double low = 0;
  double high = 0;
};

struct Summary {
  size_t count = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double median = 0;
  double std = 0;  // of the sample (divisor n - 1); 0 for a single sample
  double p50 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  std::optional<double> p999;  // with kSamplesForP999 samples at least
  Outliers outliers;
  Interval median_interval;
};

/// `percent` in [0, 100] of `sorted`, which must be ascending and not empty.
double Percentile(std::span<const double> sorted, double percent);

double Median(std::span<const double> samples);

Outliers CountOutliers(std::span<const double> sorted);

/// 95 % interval of the median of `samples`; the same seed gives the same interval everywhere.
Interval BootstrapMedian(std::span<const double> samples, uint64_t seed);

/// All of the above; throws Error{kInternal} for an empty list.
Summary Summarize(std::span<const double> samples, uint64_t seed = 1);

}  // namespace vernier
