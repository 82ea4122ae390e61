// Sums over pairs on vector registers, for instruction-set files only. `V` gives a register of
// doubles (with the compiler's operators on vectors), the same as signed and unsigned integers, and
// the few operations that have no operator.
#pragma once

#include <cstdint>

#include "kernels/cpu/pair_sums.h"

namespace vernier {
namespace {

template <class V>
struct Lanes : V {
  using Double = typename V::Double;
  using Bits = typename V::Bits;
  static constexpr int64_t kCount = sizeof(Double) / sizeof(double);

  static Double Set(double value) { return value - Double{}; }
  static Double Abs(Double a) {
    return reinterpret_cast<Double>(reinterpret_cast<Bits>(a) & INT64_MAX);
  }
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

/// 2 atanh(s) = log((1 + s) / (1 - s)): the first terms of its series. What is cut off is below
/// 1e-8 of the value for |s| <= 0.2 with `kTerms` = 5 and for |s| <= 0.05 with 3.
template <class V, int kTerms>
inline typename V::Double LogOfRatio(typename V::Double s) {
  const typename V::Double s2 = s * s;
  typename V::Double series = Lanes<V>::Set(2.0 / (2 * kTerms - 1));
#pragma GCC unroll 8
  for (int divisor = 2 * kTerms - 3; divisor > 0; divisor -= 2) {
    series = V::Fma(series, s2, Lanes<V>::Set(2.0 / divisor));
  }
  return s * series;
}

/// log(u / v) for any normal positive numbers: with v' = 2^k v near u, k ln 2 + log(u / v').
template <class V>
inline typename V::Double Log(typename V::Double u, typename V::Double v) {
  using Double = typename V::Double;
  using Bits = typename V::Bits;
  using Unsigned = typename V::Unsigned;
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
  const Double scaled = reinterpret_cast<Double>(reinterpret_cast<Bits>(v) + k_high);
  constexpr double kLn2 = 0.6931471805599453;
  return k * kLn2 + LogOfRatio<V, 5>((u - scaled) / (u + scaled));
}

template <class V>
PairSums SumPairs(const float* candidate, const float* reference, int64_t count,
                  const PairTolerance& tolerance) noexcept {
  using L = Lanes<V>;
  using Double = typename V::Double;
  using Bits = typename V::Bits;
  const int64_t whole = count / L::kCount * L::kCount;
  if (whole == 0) return scalar::SumPairs(candidate, reference, count, tolerance);
  Double needed_atol{}, abs{}, max_abs{}, squares{}, relative{}, max_relative{}, mre{}, dot{};
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
    const Double excess = L::Fma(size, L::Set(-tolerance.rtol), error);
    outside += excess > tolerance.atol;
    needed_atol = L::Max(needed_atol, excess);
    abs += error;
    max_abs = L::Max(max_abs, error);
    squares = L::Fma(difference, difference, squares);
    relative += relative_error;
    max_relative = L::Max(max_relative, relative_error);
    mre = L::Fma(share, divisor, mre);
    dot = L::Fma(x, r, dot);
    x_sum += x;
    x_squares = L::Fma(x, x, x_squares);
    x_min = L::Min(x_min, x);
    x_max = L::Max(x_max, x);
    r_sum += r;
    r_squares = L::Fma(r, r, r_squares);
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
  sums.needed_atol = L::Largest(needed_atol);
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

/// Values as parts of a distribution, not yet divided by their sum.
template <class V>
struct Parts {
  Parts(const float* from, double min, double scale)
      : values(from), factor(scale), offset(-min * scale) {}

  typename V::Double At(int64_t i) const {
    using L = Lanes<V>;
    const typename V::Double part = V::Fma(V::Load(values + i), L::Set(factor), L::Set(offset));
    return V::Max(part, L::Set(kDivergenceFloor));
  }

  const float* values;
  double factor;
  double offset;
};

template <class V>
DivergenceSums SumDivergence(const float* candidate, const float* reference, int64_t count,
                             const PairRanges& ranges) noexcept {
  using L = Lanes<V>;
  using Double = typename V::Double;
  const Parts<V> us(candidate, ranges.candidate_min, ranges.candidate_scale);
  const Parts<V> vs(reference, ranges.reference_min, ranges.reference_scale);
  // Groups of pairs take the short way when none of them is far apart, as nearly all do.
  constexpr int64_t kGroup = 16 * L::kCount;
  constexpr double kShortWay = 0.05;
  const int64_t whole = count / kGroup * kGroup;
  Double u_sum{}, v_sum{}, weighted_log{};
  for (int64_t group = 0; group < whole; group += kGroup) {
    Double widest{}, group_log{};
    for (int64_t i = group; i < group + kGroup; i += L::kCount) {
      const Double u = us.At(i);
      const Double v = vs.At(i);
      const Double s = (u - v) / (u + v);
      widest = L::Max(widest, L::Abs(s));
      group_log = L::Fma(u, LogOfRatio<V, 3>(s), group_log);
      u_sum += u;
      v_sum += v;
    }
    if (L::Largest(widest) > kShortWay) {
      group_log = Double{};
      for (int64_t i = group; i < group + kGroup; i += L::kCount) {
        const Double u = us.At(i);
        group_log += u * Log<V>(u, vs.At(i));
      }
    }
    weighted_log += group_log;
  }
  const DivergenceSums rest =
      scalar::SumDivergence(candidate + whole, reference + whole, count - whole, ranges);
  return {L::Sum(u_sum) + rest.candidate, L::Sum(v_sum) + rest.reference,
          L::Sum(weighted_log) + rest.weighted_log};
}

template <class V>
constexpr PairKernels PairKernelsOf(const char* name) {
  return {name, SumPairs<V>, SumDivergence<V>};
}

}  // namespace
}  // namespace vernier
