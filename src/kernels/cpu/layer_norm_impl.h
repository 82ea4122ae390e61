// Layer normalisation over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/layer_norm.h"
#include "kernels/cpu/row_sums.h"

namespace vernier {
namespace {

template <class V, class Out>
inline void NormalizeRow(const LayerNormArgs& args, const float* in, Out* out) {
  const double columns = static_cast<double>(args.columns);
  Chains<V> sums;
  OverRow<V>(in, args.columns,
             [&](V x, int chain, int64_t) { sums.at[chain] = sums.at[chain] + x; });
  // `about` is the mean up to rounding; what is left of it comes out of the deviations, which are
  // small numbers, and is taken off the variance (the corrected two-pass algorithm).
  const V about = V::Set(static_cast<float>(sums.Sum() / columns));
  Chains<V> first, second;
  OverRow<V>(in, args.columns, [&](V x, int chain, int64_t count) {
    V d = x - about;
    if (count < V::kWidth) d = d.FirstOr(count, V::Set(0.0f));
    first.at[chain] = first.at[chain] + d;
    second.at[chain] = Fma(d, d, second.at[chain]);
  });
  const double rest = first.Sum() / columns;
  const double variance = second.Sum() / columns - rest * rest;
  const double factor = 1.0 / __builtin_sqrt((variance > 0.0 ? variance : 0.0) + args.eps);
  const V scale = V::Set(static_cast<float>(factor)), offset = V::Set(static_cast<float>(rest));
  for (int64_t i = 0; i < args.columns; i += V::kWidth) {
    const int64_t left = args.columns - i;
    const V beta = args.beta == nullptr ? V::Set(0.0f) : LoadUpTo<V>(args.beta + i, left);
    const V x = (LoadUpTo<V>(in + i, left) - about) - offset;
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
