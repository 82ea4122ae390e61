// Percentiles that hold with a stated confidence, in the manner of MLPerf LoadGen's early stopping
// (mlcommons/inference, loadgen/early_stopping.cc; "Early Stopping" in the inference rules).
//
// Of n independent samples, the number above the true q-quantile is binomial(n, 1 - q). With t the
// largest count for which P(binomial(n, 1 - q) <= t) <= 1 - confidence, the largest sample that is
// left when the t highest are discarded is at least the quantile with that confidence. As LoadGen
// does, t must be 1 at least, which needs 64 samples for the 90th percentile and 662 for the 99th
// at 99 % confidence, and only t - 1 are discarded, so that figures agree with its. The bound is
// for independent samples: a drift while they were taken breaks it. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace vernier {

inline constexpr double kCertifiedConfidence = 0.99;

struct CertifiedPercentile {
  double percent = 0;
  double confidence = kCertifiedConfidence;
  std::optional<double> at_most_ms;  // absent with too few samples
  size_t discarded = 0;              // highest samples that the bound leaves out
  size_t more_samples = 0;           // needed before a bound can be given
};

/// P(binomial(trials, probability) <= count).
double BinomialAtMost(size_t trials, double probability, size_t count);

/// Samples needed for a bound of the percentile.
size_t LeastSamples(double percent, double confidence = kCertifiedConfidence);

/// `sorted` ascending.
CertifiedPercentile Certify(std::span<const double> sorted, double percent,
                            double confidence = kCertifiedConfidence);

/// "p99 <= 15.20 ms at 99 % confidence", or how many more samples it needs.
std::string InWords(const CertifiedPercentile& certified);

}  // namespace vernier
