// Sums over pairs in plain C++: the contract of the other versions, and what runs on doubles.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/pair_sums.h"

namespace vernier {

void MergePairSums(const PairSums& part, PairSums& total) noexcept {
  if (part.finite == 0) return;
  const bool first = total.finite == 0;
  total.finite += part.finite;
  total.within += part.within;
  total.needed_atol = std::max(total.needed_atol, part.needed_atol);
  total.abs += part.abs;
  total.max_abs = std::max(total.max_abs, part.max_abs);
  total.squares += part.squares;
  total.relative += part.relative;
  total.max_relative = std::max(total.max_relative, part.max_relative);
  total.mre += part.mre;
  total.dot += part.dot;
  total.candidate_sum += part.candidate_sum;
  total.candidate_squares += part.candidate_squares;
  total.reference_sum += part.reference_sum;
  total.reference_squares += part.reference_squares;
  const auto widen = [first](double& low, double& high, double part_low, double part_high) {
    low = first ? part_low : std::min(low, part_low);
    high = first ? part_high : std::max(high, part_high);
  };
  widen(total.candidate_min, total.candidate_max, part.candidate_min, part.candidate_max);
  widen(total.reference_min, total.reference_max, part.reference_min, part.reference_max);
}

namespace scalar {
namespace {

double Normalised(double value, double min, double scale) {
  return std::max((value - min) * scale, kDivergenceFloor);
}

}  // namespace

template <class T>
PairSums SumPairs(const T* candidate, const T* reference, int64_t count,
                  const PairTolerance& tolerance) noexcept {
  PairSums sums;
  for (int64_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(candidate[i]);
    const double r = static_cast<double>(reference[i]);
    if (!std::isfinite(x) || !std::isfinite(r)) continue;
    const double error = std::abs(x - r);
    const double size = std::abs(r);
    const double relative = size > kLeastRelativeReference ? error / size : 0.0;
    const bool first = sums.finite == 0;
    sums.finite += 1;
    const double excess = std::fma(-tolerance.rtol, size, error);
    sums.within += excess <= tolerance.atol ? 1 : 0;
    sums.needed_atol = std::max(sums.needed_atol, excess);
    sums.abs += error;
    sums.max_abs = std::max(sums.max_abs, error);
    sums.squares += error * error;
    sums.relative += relative;
    sums.max_relative = std::max(sums.max_relative, relative);
    sums.mre += error / (size + kMreEpsilon);
    sums.dot += x * r;
    sums.candidate_sum += x;
    sums.candidate_squares += x * x;
    sums.candidate_min = first ? x : std::min(sums.candidate_min, x);
    sums.candidate_max = first ? x : std::max(sums.candidate_max, x);
    sums.reference_sum += r;
    sums.reference_squares += r * r;
    sums.reference_min = first ? r : std::min(sums.reference_min, r);
    sums.reference_max = first ? r : std::max(sums.reference_max, r);
  }
  return sums;
}

template <class T>
DivergenceSums SumDivergence(const T* candidate, const T* reference, int64_t count,
                             const PairRanges& ranges) noexcept {
  DivergenceSums sums;
  for (int64_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(candidate[i]);
    const double r = static_cast<double>(reference[i]);
    if (!std::isfinite(x) || !std::isfinite(r)) continue;
    const double u = Normalised(x, ranges.candidate_min, ranges.candidate_scale);
    const double v = Normalised(r, ranges.reference_min, ranges.reference_scale);
    sums.candidate += u;
    sums.reference += v;
    sums.weighted_log += u * std::log(u / v);
  }
  return sums;
}

template PairSums SumPairs(const float*, const float*, int64_t, const PairTolerance&) noexcept;
template PairSums SumPairs(const double*, const double*, int64_t, const PairTolerance&) noexcept;
template DivergenceSums SumDivergence(const float*, const float*, int64_t,
                                      const PairRanges&) noexcept;
template DivergenceSums SumDivergence(const double*, const double*, int64_t,
                                      const PairRanges&) noexcept;

const PairKernels kPairs = {"scalar", SumPairs<float>, SumDivergence<float>};

}  // namespace scalar
}  // namespace vernier
