// Rows of masks over any Vec (vec_<isa>.h), for instruction-set files only. Each step is that of
// the scalar version (plain_exponential.h), so that bits are equal.
#pragma once

#include "kernels/cpu/exponential_terms.h"
#include "kernels/cpu/mask_rows.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

/// e to the x between -88 and 88.
template <class V>
inline V PlainExponential(V x) {
  using Terms = ExponentialTerms;
  const V rounds = V::Set(Terms::kRounds);
  const V whole = x * V::Set(Terms::kLog2E) + rounds - rounds;
  const V r = x - whole * V::Set(Terms::kLog2High) - whole * V::Set(Terms::kLog2Low);
  V series = V::Set(Terms::kSeries[0]);
  series = series * r + V::Set(Terms::kSeries[1]);
  series = series * r + V::Set(Terms::kSeries[2]);
  series = series * r + V::Set(Terms::kSeries[3]);
  series = series * r + V::Set(Terms::kSeries[4]);
  series = series * r + V::Set(Terms::kSeries[5]);
  series = series * r * r + r + V::Set(1.0f);
  return Scale2(series, whole);
}

template <class V>
class RowReader {
 public:
  RowReader(const RowBetween& row, int64_t count)
      : row_(row), count_(count), above_(V::Set(1.0f - row.share)), below_(V::Set(row.share)) {}

  V Load(int64_t base, int64_t at) const {
    const int64_t from = base * count_ + at, left = count_ - at;
    return LoadUpTo<V>(row_.above + from, left) * above_ +
           LoadUpTo<V>(row_.below + from, left) * below_;
  }

 private:
  const RowBetween& row_;
  int64_t count_;
  V above_, below_;
};

// The second operand of a maximum stays where the first is NaN.
template <class V>
inline void BlendRowOf(const BlendRowArgs& args) noexcept {
  const RowReader<V> attention(args.attention, args.count), pooled(args.pooled, args.count);
  for (int64_t i = 0; i < args.count; i += V::kWidth) {
    V most = V::Set(-__builtin_inff());
    for (int64_t k = 0; k < args.bases; ++k) most = Max(attention.Load(k, i), most);
    V sum = V::Set(0.0f), total = V::Set(0.0f);
    for (int64_t k = 0; k < args.bases; ++k) {
      const V less = attention.Load(k, i) - most;
      const V weight = PlainExponential(Max(V::Set(-87.0f), less));
      sum = sum + weight * pooled.Load(k, i);
      total = total + weight;
    }
    StoreUpTo(sum / total, args.out + i, args.count - i);
  }
}

template <class V>
inline void SigmoidsOf(const float* in, int64_t count, float* out) noexcept {
  const V one = V::Set(1.0f), zero = V::Set(0.0f);
  const V far = V::Set(ExponentialTerms::kSigmoidIsFlat);
  for (int64_t i = 0; i < count; i += V::kWidth) {
    const V x = LoadUpTo<V>(in + i, count - i);
    const V bounded = Min(far, Max(zero - far, x));
    StoreUpTo(one / (one + PlainExponential(zero - bounded)), out + i, count - i);
  }
}

/// `at_least(x, y)` has bit i set where x[i] >= y[i].
template <class V, class AtLeast>
inline void ForegroundOf(const ForegroundArgs& args, AtLeast at_least) noexcept {
  const V share = V::Set(args.share), threshold = V::Set(args.threshold);
  for (int64_t word = 0; word * 64 < args.count; ++word) {
    const int64_t end = args.count < (word + 1) * 64 ? args.count : (word + 1) * 64;
    uint64_t bits = 0;
    for (int64_t i = word * 64; i < end; i += V::kWidth) {
      const V left = LoadUpTo<V>(args.left + i, end - i);
      const V right = LoadUpTo<V>(args.right + i, end - i);
      bits |= uint64_t{at_least(left + share * (right - left), threshold)} << (i % 64);
    }
    args.bits[word] = bits;
  }
}

}  // namespace
}  // namespace vernier
