// A metric over samples, with its interval. Every sample contributes terms whose sums give the
// metric, so that means, error rates of a corpus and BLEU are resampled by the same code. Pure
// functions; the same seed gives the same interval everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/statistics.h"

namespace vernier {

/// How intervals are computed, for reports and JSON.
inline constexpr std::string_view kMetricIntervalMethod =
    "95 % percentile bootstrap over samples, 2000 resamples; where all samples score the metric's "
    "least or most, or none changed, the exact binomial bound";

enum class MetricForm {
  kRatio,  // two terms: the sum of the first by the sum of the second
  kBleu,   // the counts of BleuCounts in order
};

struct MetricTerms {
  std::string name;
  MetricForm form = MetricForm::kRatio;
  double least = 0;
  double most = 1;  // infinity for error rates
  std::vector<double> terms = {};

  size_t width() const;
  size_t rows() const { return terms.size() / width(); }
  /// A sample of a mean.
  void AddValue(double value);
  /// A sample that the metric leaves out: it has nothing to say about it.
  void AddNothing();
};

struct Metric {
  std::string name;
  double value = 0;
  Interval interval;
  int64_t n = 0;  // samples that it speaks of
  double least = 0;
  double most = 1;
};

/// Value and interval; n is 0 and the value NaN where no sample says anything.
Metric Summarize(const MetricTerms& terms, uint64_t seed = 1);

/// For figures that are no sums over samples: calls `take` for each resample with how often each of
/// the samples was drawn.
void ForEachResample(int64_t samples, const std::function<void(std::span<const int> times)>& take,
                     uint64_t seed = 1);

/// A share of `n` samples with what `resampled` ones gave; NaN among those counts for nothing.
Metric SummarizeResampled(std::string name, double value, int64_t n, std::vector<double> resampled);

/// `now` minus `before`, whose rows are the same samples in the same order: both are resampled
/// together, so that what the samples share cancels. The name is "delta." and the metric's.
Metric SummarizeDifference(const MetricTerms& now, const MetricTerms& before, uint64_t seed = 1);

}  // namespace vernier
