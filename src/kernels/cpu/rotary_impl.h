// The rotary kernel over any Vec (vec_<isa>.h), for instruction-set files only.
#pragma once

#include "kernels/cpu/rotary.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

/// One head of one token; `half` pairs. In and out may be the same row.
template <class V, class In, class Out>
inline void RotateHalves(const In* in, const float* cos, const float* sin, int64_t half, Out* out) {
  for (int64_t i = 0; i < half; i += V::kWidth) {
    const int64_t left = half - i;
    const V a = LoadUpTo<V>(in + i, left), b = LoadUpTo<V>(in + half + i, left);
    const V c = LoadUpTo<V>(cos + i, left), s = LoadUpTo<V>(sin + i, left);
    StoreUpTo(a * c - b * s, out + i, left);
    StoreUpTo(Fma(b, c, a * s), out + half + i, left);
  }
}

template <class V, class In, class Out>
inline void RotateInterleaved(const In* in, const float* cos, const float* sin, int64_t half,
                              Out* out) {
  for (int64_t i = 0; i < 2 * half; i += V::kWidth) {
    const int64_t left = 2 * half - i;
    float last_cos[V::kWidth / 2] = {}, last_sin[V::kWidth / 2] = {};
    const float* c = cos + i / 2;
    const float* s = sin + i / 2;
    if (left < V::kWidth) {
      for (int64_t j = 0; j < left / 2; ++j) {
        last_cos[j] = c[j];
        last_sin[j] = s[j];
      }
      c = last_cos;
      s = last_sin;
    }
    const V x = LoadUpTo<V>(in + i, left);
    StoreUpTo(Fma(x, V::TwiceEach(c), x.SwapPairs() * NegateEven(V::TwiceEach(s))), out + i, left);
  }
}

template <class V, class In, class Out>
inline void RotateHead(const In* in, const RotaryTable& table, int64_t token, int64_t half,
                       Out* out) {
  const float* cos = table.cos + token * table.stride;
  const float* sin = table.sin + token * table.stride;
  if (table.pairs == RotaryPairs::kHalves) {
    RotateHalves<V>(in, cos, sin, half, out);
  } else {
    RotateInterleaved<V>(in, cos, sin, half, out);
  }
}

template <class V, class In, class Out>
inline void RotateRows(const RotaryArgs& args) {
  for (int64_t token = 0; token < args.tokens; ++token) {
    const In* in = static_cast<const In*>(args.in) + token * args.in_stride;
    Out* out = static_cast<Out*>(args.out) + token * args.out_stride;
    for (int64_t head = 0; head < args.heads; ++head) {
      const int64_t at = head * args.head_dim;
      RotateHead<V>(in + at, args.table, token, args.head_dim / 2, out + at);
    }
  }
}

template <class V>
inline void RotateAnyRows(const RotaryArgs& args) {
  const bool in_f32 = args.in_element == Element::kF32;
  const bool out_f32 = args.out_element == Element::kF32;
  if (in_f32 && out_f32) return RotateRows<V, float, float>(args);
  if (in_f32) return RotateRows<V, float, uint16_t>(args);
  if (out_f32) return RotateRows<V, uint16_t, float>(args);
  RotateRows<V, uint16_t, uint16_t>(args);
}

}  // namespace
}  // namespace vernier
