// Root-mean-square normalisation over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/rms_norm.h"
#include "kernels/cpu/row_sums.h"

namespace vernier {
namespace {

template <class V, class Out>
inline void RmsNormRow(const RmsNormArgs& args, const float* in, Out* out) {
  Chains<V> squares;
  OverRow<V>(in, args.columns,
             [&](V x, int chain, int64_t) { squares.at[chain] = Fma(x, x, squares.at[chain]); });
  const double mean = squares.Sum() / static_cast<double>(args.columns);
  const V scale = V::Set(static_cast<float>(1.0 / __builtin_sqrt(mean + args.eps)));
  for (int64_t i = 0; i < args.columns; i += V::kWidth) {
    const int64_t left = args.columns - i;
    const V scaled = LoadUpTo<V>(in + i, left) * scale;
    StoreUpTo(scaled * LoadUpTo<V>(args.gamma + i, left), out + i, left);
  }
}

template <class V>
inline void RmsNormRows(const RmsNormArgs& args) {
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* in = args.in + row * args.in_stride;
    const int64_t at = row * args.out_stride;
    if (args.out_element == Element::kF32) {
      RmsNormRow<V>(args, in, static_cast<float*>(args.out) + at);
    } else {
      RmsNormRow<V>(args, in, static_cast<uint16_t*>(args.out) + at);
    }
  }
}

}  // namespace
}  // namespace vernier
