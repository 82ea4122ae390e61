#include "report/histogram.h"

#include <algorithm>
#include <cmath>

namespace vernier {
namespace {

double Quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::vector<Bin> Histogram(std::span<const double> values) {
  std::vector<double> sorted;
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted),
               [](double value) { return std::isfinite(value); });
  if (sorted.empty()) return {};
  std::sort(sorted.begin(), sorted.end());

  const double q1 = Quantile(sorted, 0.25), q3 = Quantile(sorted, 0.75);
  const double iqr = q3 - q1;
  const double low = iqr > 0 ? std::max(sorted.front(), q1 - 3 * iqr) : sorted.front();
  const double high = iqr > 0 ? std::min(sorted.back(), q3 + 3 * iqr) : sorted.back();
  if (!(low < high)) return {{low, high, sorted.size()}};

  const double width = 2 * iqr / std::cbrt(static_cast<double>(sorted.size()));
  const double wanted = width > 0 ? std::ceil((high - low) / width) : 5;
  const auto count = static_cast<size_t>(std::clamp(wanted, 5.0, 40.0));
  std::vector<Bin> bins(count);
  const double step = (high - low) / static_cast<double>(count);
  for (size_t i = 0; i < count; ++i) {
    bins[i].low = low + step * static_cast<double>(i);
    bins[i].high = low + step * static_cast<double>(i + 1);
  }
  for (double value : sorted) {
    const double place = std::clamp((value - low) / step, 0.0, static_cast<double>(count - 1));
    ++bins[static_cast<size_t>(place)].count;
  }
  return bins;
}

}  // namespace vernier
