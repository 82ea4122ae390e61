#include "eval/metric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <utility>

#include "core/check.h"
#include "metrics/text_bleu.h"

namespace vernier {
namespace {

constexpr int kResamples = 2000;
constexpr double kTailPercent = 2.5;
constexpr size_t kBleuTerms = 2 * kBleuOrders + 2;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double Evaluate(MetricForm form, std::span<const double> sums) {
  if (form == MetricForm::kRatio) return sums[1] > 0 ? sums[0] / sums[1] : kNothing;
  BleuCounts counts;
  const auto whole = [](double sum) { return static_cast<int64_t>(sum); };
  for (size_t n = 0; n < kBleuOrders; ++n) {
    counts.matches[n] = whole(sums[n]);
    counts.totals[n] = whole(sums[kBleuOrders + n]);
  }
  counts.candidate_length = whole(sums[2 * kBleuOrders]);
  counts.reference_length = whole(sums[2 * kBleuOrders + 1]);
  return CorpusBleu(counts);
}

void AddRow(const MetricTerms& metric, size_t row, std::vector<double>& sums) {
  const double* terms = metric.terms.data() + row * sums.size();
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += terms[i];
}

double ValueOf(const MetricTerms& metric) {
  std::vector<double> sums(metric.width(), 0.0);
  for (size_t row = 0; row < metric.rows(); ++row) AddRow(metric, row, sums);
  return Evaluate(metric.form, sums);
}

bool Speaks(const MetricTerms& metric, size_t row) {
  // The last term is what a ratio divides by, or the length of BLEU's reference.
  return metric.terms[(row + 1) * metric.width() - 1] > 0;
}

int64_t CountRows(const MetricTerms& metric) {
  int64_t count = 0;
  for (size_t row = 0; row < metric.rows(); ++row) count += Speaks(metric, row);
  return count;
}

Interval Percentiles(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {kNothing, kNothing};
  std::ranges::sort(values);
  return {Percentile(values, kTailPercent), Percentile(values, 100 - kTailPercent)};
}

// Rows drawn with replacement, again and again.
template <typename Take>
void Resample(size_t rows, uint64_t seed, const Take& take) {
  std::mt19937_64 random(seed);
  std::vector<size_t> drawn(rows);
  for (int i = 0; i < kResamples; ++i) {
    // The standard distributions differ between libraries; the engine does not.
    for (size_t& row : drawn) row = static_cast<size_t>(random() % rows);
    take(drawn);
  }
}

template <typename Value>
Interval Bootstrap(size_t rows, uint64_t seed, const Value& value) {
  std::vector<double> values;
  Resample(rows, seed, [&](std::span<const size_t> drawn) { values.push_back(value(drawn)); });
  return Percentiles(std::move(values));
}

double ValueOfDrawn(const MetricTerms& metric, std::span<const size_t> drawn) {
  std::vector<double> sums(metric.width(), 0.0);
  for (size_t row : drawn) AddRow(metric, row, sums);
  return Evaluate(metric.form, sums);
}

// Resampling equal samples says that nothing is uncertain. With n samples that are all alike, the
// share of those that are not may still be as high as p with (1 - p)^n = 2.5 % (Clopper, Pearson).
double UnseenShare(int64_t n) {
  return 1 - std::pow(kTailPercent / 100, 1 / static_cast<double>(n));
}

Interval ExactBound(const Metric& metric) {
  const double reach = (metric.most - metric.least) * UnseenShare(metric.n);
  return metric.value >= metric.most ? Interval{metric.most - reach, metric.most}
                                     : Interval{metric.least, metric.least + reach};
}

}  // namespace

size_t MetricTerms::width() const { return form == MetricForm::kRatio ? 2 : kBleuTerms; }

void MetricTerms::AddValue(double value) { terms.insert(terms.end(), {value, 1.0}); }

void MetricTerms::AddNothing() { terms.resize(terms.size() + width(), 0.0); }

Metric Summarize(const MetricTerms& terms, uint64_t seed) {
  Metric metric{.name = terms.name,
                .value = kNothing,
                .interval = {kNothing, kNothing},
                .n = CountRows(terms),
                .least = terms.least,
                .most = terms.most};
  if (metric.n == 0) return metric;
  // BLEU of equal texts is 100 up to rounding.
  metric.value = std::clamp(ValueOf(terms), terms.least, terms.most);
  if (metric.n == 1) {
    // Resampled it is itself; it says nothing about others.
    metric.interval = {metric.least, metric.most};
    return metric;
  }
  const bool at_bound = metric.value <= metric.least || metric.value >= metric.most;
  metric.interval = at_bound && std::isfinite(metric.most)
                        ? ExactBound(metric)
                        : Bootstrap(terms.rows(), seed, [&](std::span<const size_t> drawn) {
                            return ValueOfDrawn(terms, drawn);
                          });
  return metric;
}

void ForEachResample(int64_t samples, const std::function<void(std::span<const int> times)>& take,
                     uint64_t seed) {
  std::vector<int> times(static_cast<size_t>(samples));
  Resample(times.size(), seed, [&](std::span<const size_t> drawn) {
    std::ranges::fill(times, 0);
    for (const size_t row : drawn) ++times[row];
    take(times);
  });
}

Metric SummarizeResampled(std::string name, double value, int64_t n,
                          std::vector<double> resampled) {
  Metric metric{.name = std::move(name), .value = value, .interval = {kNothing, kNothing}, .n = n};
  if (n == 0 || std::isnan(value)) return metric;
  const bool at_bound = value <= metric.least || value >= metric.most;
  metric.interval = n == 1     ? Interval{metric.least, metric.most}
                    : at_bound ? ExactBound(metric)
                               : Percentiles(std::move(resampled));
  return metric;
}

Metric SummarizeDifference(const MetricTerms& now, const MetricTerms& before, uint64_t seed) {
  VN_CHECK(now.rows() == before.rows() && now.form == before.form);
  Metric metric{.name = "delta." + now.name,
                .value = ValueOf(now) - ValueOf(before),
                .n = std::min(CountRows(now), CountRows(before)),
                .least = now.least - now.most,
                .most = now.most - now.least};
  if (metric.n == 0) return metric;
  const double range = now.most - now.least;
  if (now.terms == before.terms && std::isfinite(range)) {
    metric.interval = {-range * UnseenShare(metric.n), range * UnseenShare(metric.n)};
    return metric;
  }
  metric.interval = Bootstrap(now.rows(), seed, [&](std::span<const size_t> drawn) {
    return ValueOfDrawn(now, drawn) - ValueOfDrawn(before, drawn);
  });
  return metric;
}

}  // namespace vernier
