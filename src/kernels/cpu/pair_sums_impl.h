// Sums over pairs on vector registers, for instruction-set files only. `V` names vector types
// of as many lanes, in the compiler's own vector extension: Double, Bits (int64_t), Unsigned
// (uint64_t) and Float. A block that holds a value that is not finite is left to the scalar
// version.
#pragma once

#include <cstdint>

#include "kernels/cpu/pair_sums.h"

namespace vernier {
namespace {

template <class V>
struct Lanes {
  using Double = typename V::Double;
  using Bits = typename V::Bits;
  using Float = typename V::Float;
  static constexpr int64_t kCount = sizeof(Double) / sizeof(double);

  static Double Load(const float* p) {
    Float values;
    __builtin_memcpy(&values, p, sizeof values);
    return __builtin_convertvector(values, Double);
  }
  static Double Set(double value) { return value - Double{}; }
  static Double Abs(Double a) {
    return reinterpret_cast<Double>(reinterpret_cast<Bits>(a) & INT64_MAX);
  }
  static Double Max(Double a, Double b) { return a > b ? a : b; }
  static Double Min(Double a, Double b) { return a < b ? a : b; }

  static double Sum(Double a) {
    double sum = 0;
    for (int64_t i = 0; i < kCount; ++i) sum += a[i];
    return sum;
  }
  static double Largest(Double a) {
    double largest = a[0];
    for (int64_t i = 1; i < kCount; ++i) largest = a[i] > largest ? a[i] : largest;
    return largest;
  }
};

/// u log(u / v) for normal positive numbers. With u / v = 2^k (1 + s) / (1 - s) and |s| <= 0.2:
/// log = k ln 2 + 2 atanh(s), whose series is cut below 2e-14 of its value.
template <class V>
inline typename V::Double WeightedLog(typename V::Double u, typename V::Double v) {
  using Double = typename V::Double;
  using Bits = typename V::Bits;
  using Unsigned = typename V::Unsigned;
  using L = Lanes<V>;
  constexpr int kMantissaBits = 52;
  constexpr int64_t kOne = int64_t{1} << kMantissaBits;
  constexpr int64_t kBias = 1024;  // makes k positive, so that a logical shift moves it
  // The exponents' difference, rounded by the mantissas'.
  const Bits difference = reinterpret_cast<Bits>(u) - reinterpret_cast<Bits>(v);
  const Bits k_high = (difference + kOne / 2) & ~(kOne - 1);
  // k as the low bits of a number around 2^52.
  constexpr uint64_t kTwoTo52 = uint64_t{0x433} << kMantissaBits;
  const Unsigned k_low = reinterpret_cast<Unsigned>(k_high + kBias * kOne) >> kMantissaBits;
  const Double k = reinterpret_cast<Double>(k_low | kTwoTo52) - (0x1p52 + kBias);
  const Double v_scaled = reinterpret_cast<Double>(reinterpret_cast<Bits>(v) + k_high);
  const Double s = (u - v_scaled) / (u + v_scaled);
  const Double s2 = s * s;
  Double series = L::Set(1.0 / 17);
  series = series * s2 + 1.0 / 15;
  series = series * s2 + 1.0 / 13;
  series = series * s2 + 1.0 / 11;
  series = series * s2 + 1.0 / 9;
  series = series * s2 + 1.0 / 7;
  series = series * s2 + 1.0 / 5;
  series = series * s2 + 1.0 / 3;
  series = series * s2 + 1.0;
  constexpr double kLn2 = 0.6931471805599453;
  return u * (k * kLn2 + 2.0 * s * series);
}

template <class V>
PairSums SumPairs(const float* candidate, const float* reference, int64_t count,
                  const PairTolerance& tolerance) noexcept {
  using L = Lanes<V>;
  using Double = typename V::Double;
  using Bits = typename V::Bits;
  const int64_t whole = count / L::kCount * L::kCount;
  if (whole == 0) return scalar::SumPairs(candidate, reference, count, tolerance);
  Double abs{}, max_abs{}, squares{}, relative{}, max_relative{}, mre{}, dot{};
  Double x_sum{}, x_squares{}, r_sum{}, r_squares{};
  Double x_min = L::Load(candidate), x_max = x_min;
  Double r_min = L::Load(reference), r_max = r_min;
  Bits outside{};  // minus the pairs beyond tolerance
  for (int64_t i = 0; i < whole; i += L::kCount) {
    const Double x = L::Load(candidate + i);
    const Double r = L::Load(reference + i);
    const Double difference = x - r;
    const Double error = L::Abs(difference);
    const Double size = L::Abs(r);
    // Both relative errors by one division: 1 / (size (size + eps)); a size too small for a
    // relative error stands as 1 there.
    const Bits has_relative = size > kLeastRelativeReference;
    const Double divisor = has_relative ? size : L::Set(1);
    const Double padded = size + kMreEpsilon;
    const Double share = error / (divisor * padded);
    const Double relative_error = has_relative ? share * padded : Double{};
    outside += error > tolerance.atol + tolerance.rtol * size;
    abs += error;
    max_abs = L::Max(max_abs, error);
    squares += difference * difference;
    relative += relative_error;
    max_relative = L::Max(max_relative, relative_error);
    mre += share * divisor;
    dot += x * r;
    x_sum += x;
    x_squares += x * x;
    x_min = L::Min(x_min, x);
    x_max = L::Max(x_max, x);
    r_sum += r;
    r_squares += r * r;
    r_min = L::Min(r_min, r);
    r_max = L::Max(r_max, r);
  }
  PairSums sums;
  sums.abs = L::Sum(abs);
  // Finite fp32 values cannot overflow these sums: only NaN or an infinity can have got here.
  if (!(sums.abs < __builtin_inf())) {
    return scalar::SumPairs(candidate, reference, count, tolerance);
  }
  int64_t beyond = 0;
  for (int64_t lane = 0; lane < L::kCount; ++lane) beyond -= outside[lane];
  sums.finite = whole;
  sums.within = whole - beyond;
  sums.max_abs = L::Largest(max_abs);
  sums.squares = L::Sum(squares);
  sums.relative = L::Sum(relative);
  sums.max_relative = L::Largest(max_relative);
  sums.mre = L::Sum(mre);
  sums.dot = L::Sum(dot);
  sums.candidate_sum = L::Sum(x_sum);
  sums.candidate_squares = L::Sum(x_squares);
  sums.candidate_min = -L::Largest(-x_min);
  sums.candidate_max = L::Largest(x_max);
  sums.reference_sum = L::Sum(r_sum);
  sums.reference_squares = L::Sum(r_squares);
  sums.reference_min = -L::Largest(-r_min);
  sums.reference_max = L::Largest(r_max);
  MergePairSums(scalar::SumPairs(candidate + whole, reference + whole, count - whole, tolerance),
                sums);
  return sums;
}

template <class V>
DivergenceSums SumDivergence(const float* candidate, const float* reference, int64_t count,
                             const PairRanges& ranges) noexcept {
  using L = Lanes<V>;
  using Double = typename V::Double;
  const int64_t whole = count / L::kCount * L::kCount;
  const Double floor = L::Set(kDivergenceFloor);
  Double u_sum{}, v_sum{}, weighted_log{};
  for (int64_t i = 0; i < whole; i += L::kCount) {
    const Double x = L::Load(candidate + i) - ranges.candidate_min;
    const Double r = L::Load(reference + i) - ranges.reference_min;
    const Double u = L::Max(x * ranges.candidate_scale, floor);
    const Double v = L::Max(r * ranges.reference_scale, floor);
    u_sum += u;
    v_sum += v;
    weighted_log += WeightedLog<V>(u, v);
    // The maximum above would hide a NaN.
    weighted_log += (x - x) + (r - r);
  }
  DivergenceSums sums{L::Sum(u_sum), L::Sum(v_sum), L::Sum(weighted_log)};
  if (!(sums.weighted_log - sums.weighted_log == 0)) {
    return scalar::SumDivergence(candidate, reference, count, ranges);
  }
  const DivergenceSums rest =
      scalar::SumDivergence(candidate + whole, reference + whole, count - whole, ranges);
  sums.candidate += rest.candidate;
  sums.reference += rest.reference;
  sums.weighted_log += rest.weighted_log;
  return sums;
}

template <class V>
constexpr PairKernels PairKernelsOf(const char* name) {
  return {name, SumPairs<V>, SumDivergence<V>};
}

}  // namespace
}  // namespace vernier
