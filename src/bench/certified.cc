#include "bench/certified.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vernier {
namespace {

constexpr size_t kLeastAbove = 1;

// Adding this keeps 1 - 0.9 from losing a sample to rounding.
constexpr double kRounding = 1e-12;

bool MayLieAbove(size_t samples, size_t above, double percent, double confidence) {
  return BinomialAtMost(samples, 1 - percent / 100, above) <= 1 - confidence + kRounding;
}

}  // namespace

// Terms grow up to the mode; the sum is taken from the largest term down, each from its neighbour,
// so that none underflows before it stops mattering.
double BinomialAtMost(size_t trials, double probability, size_t count) {
  if (count >= trials) return 1;
  if (probability <= 0) return 1;
  if (probability >= 1) return 0;
  const double n = static_cast<double>(trials);
  const double odds = probability / (1 - probability);
  const size_t mode = static_cast<size_t>((n + 1) * probability);
  const size_t top = std::min(count, mode);
  const double k = static_cast<double>(top);
  const double largest = std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                                  k * std::log(probability) + (n - k) * std::log1p(-probability));
  double sum = largest;
  double term = largest;
  for (size_t i = top; i > 0 && term > 0; --i) {
    term *= static_cast<double>(i) / (static_cast<double>(trials - i + 1) * odds);
    sum += term;
  }
  term = largest;
  for (size_t i = top + 1; i <= count && term > 0; ++i) {
    term *= static_cast<double>(trials - i + 1) * odds / static_cast<double>(i);
    sum += term;
  }
  return std::min(sum, 1.0);
}

size_t LeastSamples(double percent, double confidence) {
  size_t enough = 2;
  while (!MayLieAbove(enough, kLeastAbove, percent, confidence)) enough *= 2;
  size_t too_few = enough / 2;
  while (enough - too_few > 1) {
    const size_t middle = too_few + (enough - too_few) / 2;
    (MayLieAbove(middle, kLeastAbove, percent, confidence) ? enough : too_few) = middle;
  }
  return enough;
}

CertifiedPercentile Certify(std::span<const double> sorted, double percent, double confidence) {
  CertifiedPercentile certified{.percent = percent, .confidence = confidence};
  const size_t least = LeastSamples(percent, confidence);
  if (sorted.size() < least) {
    certified.more_samples = least - sorted.size();
    return certified;
  }
  size_t possible = kLeastAbove;
  size_t impossible = sorted.size();
  while (impossible - possible > 1) {
    const size_t middle = possible + (impossible - possible) / 2;
    (MayLieAbove(sorted.size(), middle, percent, confidence) ? possible : impossible) = middle;
  }
  certified.discarded = possible - 1;
  certified.at_most_ms = sorted[sorted.size() - possible];
  return certified;
}

std::string InWords(const CertifiedPercentile& certified) {
  if (certified.at_most_ms) {
    return fmt::format("p{:g} <= {:.2f} ms at {:g} % confidence", certified.percent,
                       *certified.at_most_ms, certified.confidence * 100);
  }
  return fmt::format("p{:g}: {} more samples needed for a bound at {:g} % confidence",
                     certified.percent, certified.more_samples, certified.confidence * 100);
}

}  // namespace vernier
