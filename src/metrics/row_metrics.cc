#include "metrics/row_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/check.h"

namespace vernier {
namespace {

constexpr int64_t kBest = 5;

/// Places of the largest scores, best first, the first of equals before the others.
std::array<int64_t, kBest> BestOf(std::span<const float> scores, int64_t count) {
  std::array<int64_t, kBest> best{};
  int64_t held = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(scores.size()); ++i) {
    const float score = scores[static_cast<size_t>(i)];
    int64_t place = held;
    while (place > 0 && scores[static_cast<size_t>(best[static_cast<size_t>(place - 1)])] < score) {
      --place;
    }
    if (place >= count) continue;
    held = std::min(held + 1, count);
    std::copy_backward(best.begin() + place, best.begin() + held - 1, best.begin() + held);
    best[static_cast<size_t>(place)] = i;
  }
  return best;
}

double CosineOf(std::span<const float> x, std::span<const float> r) {
  double dot = 0;
  double xx = 0;
  double rr = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    dot += static_cast<double>(x[i]) * static_cast<double>(r[i]);
    xx += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    rr += static_cast<double>(r[i]) * static_cast<double>(r[i]);
  }
  if (xx == 0 && rr == 0) return 1;
  if (xx == 0 || rr == 0) return 0;
  return std::clamp(dot / (std::sqrt(xx) * std::sqrt(rr)), -1.0, 1.0);
}

bool HasNan(std::span<const float> values) {
  return std::ranges::any_of(values, [](float value) { return std::isnan(value); });
}

float LargestError(std::span<const float> x, std::span<const float> r) {
  float largest = 0;
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - r[i]));
  return largest;
}

}  // namespace

RowMetrics MeasureRows(const TensorView& candidate, const TensorView& reference) {
  VN_CHECK(candidate.shape == reference.shape && reference.shape.rank() >= 1);
  RowMetrics metrics;
  metrics.classes = reference.shape[-1];
  if (metrics.classes < 2) return metrics;
  const Tensor x = ToFloat32(candidate);
  const Tensor r = ToFloat32(reference);
  const auto width = static_cast<size_t>(metrics.classes);
  const int64_t considered = std::min(kBest, metrics.classes);
  int64_t same_best = 0;
  int64_t shared = 0;
  double min_cosine = 1;
  for (size_t at = 0; at + width <= r.as<float>().size(); at += width) {
    const std::span<const float> x_row = x.as<float>().subspan(at, width);
    const std::span<const float> r_row = r.as<float>().subspan(at, width);
    if (HasNan(x_row) || HasNan(r_row)) continue;
    metrics.rows += 1;
    min_cosine = std::min(min_cosine, CosineOf(x_row, r_row));
    const auto x_best = BestOf(x_row, considered);
    const auto r_best = BestOf(r_row, considered);
    for (int64_t i = 0; i < considered; ++i) {
      shared +=
          std::count(x_best.begin(), x_best.begin() + considered, r_best[static_cast<size_t>(i)]);
    }
    if (x_best[0] == r_best[0]) {
      same_best += 1;
    } else {
      const float gap =
          r_row[static_cast<size_t>(r_best[0])] - r_row[static_cast<size_t>(r_best[1])];
      metrics.tie_like_flips += gap < 2 * LargestError(x_row, r_row) ? 1 : 0;
    }
  }
  if (metrics.rows == 0) return metrics;
  const auto rows = static_cast<double>(metrics.rows);
  metrics.top1 = static_cast<double>(same_best) / rows;
  metrics.top5 = static_cast<double>(shared) / (rows * static_cast<double>(considered));
  metrics.min_cosine = min_cosine;
  return metrics;
}

}  // namespace vernier
