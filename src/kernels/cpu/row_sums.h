// Sums over a row for any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

/// Four chains of sums hide the latency of additions.
template <class V>
struct Chains {
  V at[4] = {V::Set(0.0f), V::Set(0.0f), V::Set(0.0f), V::Set(0.0f)};
  double Sum() const { return static_cast<double>(((at[0] + at[1]) + (at[2] + at[3])).Sum()); }
};

/// Calls f(vector, chain) for the whole vectors of a row, then for its zero-filled rest with the
/// number of elements in it.
template <class V, class F>
inline void OverRow(const float* in, int64_t columns, F f) {
  int64_t i = 0;
  for (; i + 4 * V::kWidth <= columns; i += 4 * V::kWidth) {
#pragma GCC unroll 4
    for (int chain = 0; chain < 4; ++chain)
      f(V::Load(in + i + chain * V::kWidth), chain, V::kWidth);
  }
  for (; i < columns; i += V::kWidth) f(LoadUpTo<V>(in + i, columns - i), 0, columns - i);
}

}  // namespace
}  // namespace vernier
