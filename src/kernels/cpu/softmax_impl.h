// Row softmax over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/softmax.h"
#include "kernels/cpu/vec_math.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

template <class V>
inline void SoftmaxRow(const float* in, int64_t columns, float* out) {
  constexpr float kMinusInfinity = -__builtin_inff();
  V largest = V::Set(kMinusInfinity);
  for (int64_t i = 0; i < columns; i += V::kWidth) {
    const int64_t left = columns - i;
    const V x = LoadUpTo<V>(in + i, left);
    largest = Max(largest, left < V::kWidth ? x.FirstOr(left, largest) : x);
  }
  const float top = largest.Max();
  const V shift = V::Set(top == kMinusInfinity ? 0.0f : top);
  V sum = V::Set(0.0f);
  for (int64_t i = 0; i < columns; i += V::kWidth) {
    const int64_t left = columns - i;
    const V p = Exp(LoadUpTo<V>(in + i, left) - shift);
    sum = sum + (left < V::kWidth ? p.FirstOr(left, V::Set(0.0f)) : p);
    StoreUpTo(p, out + i, left);
  }
  const float total = sum.Sum();
  const V factor = V::Set(total == 0.0f ? 0.0f : 1.0f / total);
  for (int64_t i = 0; i < columns; i += V::kWidth) {
    const int64_t left = columns - i;
    StoreUpTo(LoadUpTo<V>(out + i, left) * factor, out + i, left);
  }
}

template <class V>
inline void SoftmaxRows(const SoftmaxArgs& args) {
  for (int64_t row = 0; row < args.rows; ++row) {
    SoftmaxRow<V>(args.in + row * args.in_stride, args.columns, args.out + row * args.out_stride);
  }
}

}  // namespace
}  // namespace vernier
