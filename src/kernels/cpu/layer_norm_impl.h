// Layer normalisation over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/layer_norm.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

/// Sum of f(vector) over a row in four interleaved chains; the tail's missing elements must
/// contribute 0, so f also gets the number of elements left.
template <class V, class F>
inline double SumOver(const float* in, int64_t columns, F f) {
  V sums[4] = {V::Set(0.0f), V::Set(0.0f), V::Set(0.0f), V::Set(0.0f)};
  int64_t i = 0;
  for (; i + 4 * V::kWidth <= columns; i += 4 * V::kWidth) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sums[j] = f(V::Load(in + i + j * V::kWidth), V::kWidth, sums[j]);
  }
  for (; i < columns; i += V::kWidth) {
    sums[0] = f(LoadUpTo<V>(in + i, columns - i), columns - i, sums[0]);
  }
  return static_cast<double>(((sums[0] + sums[1]) + (sums[2] + sums[3])).Sum());
}

template <class V, class Out>
inline void NormalizeRow(const LayerNormArgs& args, const float* in, Out* out) {
  const double columns = static_cast<double>(args.columns);
  const auto add = [](V x, int64_t, V sum) { return sum + x; };
  const float about = static_cast<float>(SumOver<V>(in, args.columns, add) / columns);
  // `about` is the mean up to rounding; what is left of it comes out of the deviations, which are
  // small numbers, and is taken off the variance (the corrected two-pass algorithm).
  const V shift = V::Set(about);
  const auto deviation = [shift](V x, int64_t left) {
    const V d = x - shift;
    return left >= V::kWidth ? d : d.FirstOr(left, V::Set(0.0f));
  };
  const auto first = [&](V x, int64_t left, V sum) { return sum + deviation(x, left); };
  const auto second = [&](V x, int64_t left, V sum) {
    const V d = deviation(x, left);
    return Fma(d, d, sum);
  };
  const double rest = SumOver<V>(in, args.columns, first) / columns;
  const double variance = SumOver<V>(in, args.columns, second) / columns - rest * rest;
  const double factor = 1.0 / __builtin_sqrt((variance > 0.0 ? variance : 0.0) + args.eps);
  const V scale = V::Set(static_cast<float>(factor)), offset = V::Set(static_cast<float>(rest));
  for (int64_t i = 0; i < args.columns; i += V::kWidth) {
    const int64_t left = args.columns - i;
    const V beta = args.beta == nullptr ? V::Set(0.0f) : LoadUpTo<V>(args.beta + i, left);
    const V x = (LoadUpTo<V>(in + i, left) - shift) - offset;
    StoreUpTo(Fma(x * scale, LoadUpTo<V>(args.gamma + i, left), beta), out + i, left);
  }
}

template <class V>
inline void NormalizeRows(const LayerNormArgs& args) {
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* in = args.in + row * args.in_stride;
    const int64_t at = row * args.out_stride;
    if (args.out_element == Element::kF32) {
      NormalizeRow<V>(args, in, static_cast<float*>(args.out) + at);
    } else {
      NormalizeRow<V>(args, in, static_cast<uint16_t*>(args.out) + at);
    }
  }
}

}  // namespace
}  // namespace vernier
