// Exponential, tanh and the GELU family over any of the Vec types (vec_<isa>.h), for
// instruction-set files only: include the Vec first. Polynomials interpolate at Chebyshev nodes
// (fitted for this file in 50-digit arithmetic); the bounds were measured over dense grids, and the
// tests of the kernels hold their results to them. NaN stays NaN.
#pragma once

namespace vernier {
namespace {

template <class V, int kCount>
inline V Horner(V x, const float (&c)[kCount]) {
  V sum = V::Set(c[kCount - 1]);
#pragma GCC unroll 16
  for (int i = kCount - 2; i >= 0; --i) sum = Fma(sum, x, V::Set(c[i]));
  return sum;
}

/// 2^t within 1.5 ulp; 0 below 2^-150, infinity above 2^128.
template <class V>
inline V Exp2(V t) {
  constexpr float kTwoToThe[] = {1.0f,           0.693147182f,  0.240226507f,   0.0555032715f,
                                 0.00961805694f, 0.0013400428f, 0.000154614449f};
  t = Min(V::Set(129.0f), Max(V::Set(-151.0f), t));
  const V whole = Round(t);
  return Scale2(Horner(t - whole, kTwoToThe), whole);
}

/// e^x within 1.5 ulp.
template <class V>
inline V Exp(V x) {
  constexpr float kEToThe[] = {1.0f,          1.0f,           0.5f,         0.166664153f,
                               0.0416663513f, 0.00837513432f, 0.0013941119f};
  // ln 2 in two parts: the first has 9 trailing zero bits, so that whole · kLn2High is exact.
  constexpr float kLog2E = 1.44269504f, kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f;
  x = Min(V::Set(89.5f), Max(V::Set(-104.5f), x));
  const V whole = Round(x * V::Set(kLog2E));
  const V rest = Fma(whole, V::Set(-kLn2Low), Fma(whole, V::Set(-kLn2High), x));
  return Scale2(Horner(rest, kEToThe), whole);
}

/// 1 / (1 + e^-x).
template <class V>
inline V Sigmoid(V x) {
  return V::Set(1.0f) / (V::Set(1.0f) + Exp(V::Set(0.0f) - x));
}

/// tanh within 3 ulp.
template <class V>
inline V Tanh(V x) {
  constexpr float kSmall[] = {-0.333333284f, 0.133327693f, -0.0538509078f, 0.0209971797f,
                              -0.00609671418f};
  const V size = Abs(x);
  const V square = x * x;
  const V small = Fma(x * square, Horner(square, kSmall), x);
  const V large = V::Set(1.0f) - V::Set(2.0f) / (Exp(size + size) + V::Set(1.0f));
  return IfLess(size, V::Set(0.625f), small, WithSign(large, x));
}

/// 0.5 x (1 + erf(x / √2)), absolute error below 5e-7 (and small relative error on the negative
/// side): erfc(z) = e^(-z²) t P(t), t = 1 / (1 + z / 2), the form of Abramowitz & Stegun 7.1.26.
template <class V>
inline V GeluErf(V x) {
  constexpr float kErfc[] = {0.282546312f, 0.274874926f,  0.294973552f, 0.00393371563f,
                             0.435134053f, -0.388431281f, 0.0969691873f};
  const V size = Min(V::Set(20.0f), Abs(x));  // bounded: infinity times an underflow would be NaN
  const V t = V::Set(1.0f) / Fma(size, V::Set(0.35355339f), V::Set(1.0f));
  const V half = size * V::Set(0.5f);
  const V tail = half * (Exp(half * (V::Set(0.0f) - size)) * (t * Horner(t, kErfc)));
  return Max(V::Set(0.0f), x) - tail;
}

/// The tanh form of GELU: 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))).
template <class V>
inline V GeluTanh(V x) {
  const V inner = x * Fma(x * x, V::Set(0.0356774081f), V::Set(0.797884561f));
  return x * Sigmoid(inner + inner);
}

/// x · sigmoid(1.702 x), as CLIP has it.
template <class V>
inline V QuickGelu(V x) {
  return x * Sigmoid(x * V::Set(1.702f));
}

}  // namespace
}  // namespace vernier
