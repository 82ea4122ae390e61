// The second step of a packed matrix multiplication for any vector register type V. Included only
// by instruction-set files; V is a type of their anonymous namespace, so that nothing instantiated
// here leaves the file. V has: kLanes, Set, Load, LoadBf16, Store, StoreBf16, and LoadPart,
// LoadBf16Part, StorePart, StoreBf16Part (first `count` lanes, fewer than all), + - * /, Fma(a, b,
// c) = a * b + c, Min, Max (the second operand if one is NaN), Abs, Round (to nearest), Exp2 (of
// whole numbers), and SelectLess(a, b, x, y) = a < b ? x : y. One whose results are all bf16 says
// kOnlyBf16 and has Logistic2(t) = 1 / (1 + 2^t), as exactly as they need it.
#pragma once

#include "kernels/cpu/gemm_abi.h"

namespace vernier {

/// c[0] + c[1] x + c[2] x^2 + …
template <typename V, int kCount>
inline V Polynomial(const float (&c)[kCount], V x) {
  V sum = V::Set(c[kCount - 1]);
  for (int i = kCount - 2; i >= 0; --i) sum = V::Fma(sum, x, V::Set(c[i]));
  return sum;
}

/// 0.5 x (1 + erf(x / sqrt 2)), written as max(x, 0) - 0.5 |x| erfc(|x| / sqrt 2) so that large
/// inputs come out exact. The quotient is a minimax fit of erf(x / sqrt 2) / x on |x| < 5.54
/// (relative error 2e-8, by Lawson's iteration); beyond, erfc is below fp32's resolution.
/// Absolute error of the whole: under 1e-6.
template <typename V>
inline V GeluErf(V x) {
  constexpr float kEnd = 5.54371717f;
  constexpr float kOver[] = {0.797884548f,    0.0673184306f,   0.00932471336f,
                             0.000332831672f, 1.25900635e-05f, 4.53009133e-08f};
  constexpr float kUnder[] = {1.0f,           0.251037511f,    0.02852715f,
                              0.00187113795f, 7.26575181e-05f, 1.19036201e-06f};
  const V size = V::Min(V::Set(kEnd), V::Abs(x));
  const V square = size * size;
  const V erf = size * Polynomial(kOver, square) / Polynomial(kUnder, square);
  const V half = V::Set(0.5f) * size;
  return V::Max(V::Set(0.0f), x) - (half - half * erf);
}

/// e^x for |x| < 87: 2^n times the Taylor series (degree 7, relative error 5e-9) on the rest.
template <typename V>
inline V Exp(V x) {
  constexpr float kLimit = 87.0f;
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;  // 9 bits: n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kTaylor[] = {1.0f,      1.0f,       1.0f / 2,   1.0f / 6,
                               1.0f / 24, 1.0f / 120, 1.0f / 720, 1.0f / 5040};
  x = V::Max(V::Set(-kLimit), V::Min(V::Set(kLimit), x));
  const V n = V::Round(x * V::Set(kLog2E));
  V rest = V::Fma(n, V::Set(-kLn2High), x);
  rest = V::Fma(n, V::Set(-kLn2Low), rest);
  return Polynomial(kTaylor, rest) * V::Exp2(n);
}

template <typename V>
inline V Sigmoid(V x) {
  return V::Set(1.0f) / (V::Set(1.0f) + Exp(V::Set(0.0f) - x));
}

template <typename V>
concept OnlyBf16 = V::kOnlyBf16;

/// x / (1 + e^-(x · (linear + cubic · x^2))).
template <typename V>
inline V TimesSigmoid(V x, float linear, float cubic = 0.0f) {
  if constexpr (OnlyBf16<V>) {
    constexpr float kLog2E = 1.44269504f;
    if (cubic == 0.0f) return x * V::Logistic2(x * V::Set(-kLog2E * linear));
    return x * V::Logistic2(x * V::Fma(x * x, V::Set(-kLog2E * cubic), V::Set(-kLog2E * linear)));
  } else {
    if (linear == 1.0f && cubic == 0.0f) return x * Sigmoid(x);
    if (cubic == 0.0f) return x * Sigmoid(V::Set(linear) * x);
    return x * Sigmoid(x * V::Fma(x * x, V::Set(cubic), V::Set(linear)));
  }
}

/// The odd Taylor series (relative error 1e-7) near zero, 1 - 2 / (e^2x + 1) elsewhere.
template <typename V>
inline V Tanh(V x) {
  constexpr float kNear = 0.5f;
  constexpr float kTaylor[] = {1.0f,         -1.0f / 3,         2.0f / 15,         -17.0f / 315,
                               62.0f / 2835, -1382.0f / 155925, 21844.0f / 6081075};
  const V near = x * Polynomial(kTaylor, x * x);
  const V far = V::Set(1.0f) - V::Set(2.0f) / (Exp(x + x) + V::Set(1.0f));
  return V::SelectLess(V::Abs(x), V::Set(kNear), near, far);
}

template <Activation kActivation, typename V>
inline V Activate(V x) {
  if constexpr (kActivation == Activation::kGeluErf) return GeluErf(x);
  if constexpr (kActivation == Activation::kGeluTanh) {
    constexpr float kLinear = 1.59576912f;  // 2 sqrt(2 / pi)
    return TimesSigmoid(x, kLinear, 0.044715f * kLinear);
  }
  if constexpr (kActivation == Activation::kQuickGelu) return TimesSigmoid(x, 1.702f);
  if constexpr (kActivation == Activation::kRelu) return V::Max(V::Set(0.0f), x);
  if constexpr (kActivation == Activation::kTanh) return Tanh(x);
  if constexpr (kActivation == Activation::kSilu) return TimesSigmoid(x, 1.0f);
  return x;
}

/// Sums as they are, or scaled by what their weights were divided by.
template <typename V>
inline V ScaledSums(const GemmFinish& f, const float* sums, int64_t column) {
  const V y = V::Load(sums + column);
  return f.weight_scale == nullptr ? y : y * V::Load(f.weight_scale + column);
}

/// A register of the addend.
template <typename V, bool kWhole>
inline V Addend(const GemmFinish& f, int64_t row, int64_t column) {
  const int64_t at = row * f.addend_stride + column, count = f.columns - column;
  if (f.addend_bf16) {
    const auto* from = static_cast<const uint16_t*>(f.addend) + at;
    return kWhole ? V::LoadBf16(from) : V::LoadBf16Part(from, count);
  }
  const auto* from = static_cast<const float*>(f.addend) + at;
  return kWhole ? V::Load(from) : V::LoadPart(from, count);
}

/// Puts a register, or its first `count` lanes, into the result at element `at`.
template <typename V, bool kWhole>
inline void StoreResult(const GemmFinish& f, int64_t at, int64_t count, V y) {
  if constexpr (!OnlyBf16<V>) {
    if (!f.c_bf16) {
      float* c = static_cast<float*>(f.c) + at;
      return kWhole ? y.Store(c) : y.StorePart(c, count);
    }
  }
  auto* c = static_cast<uint16_t*>(f.c) + at;
  kWhole ? y.StoreBf16(c) : y.StoreBf16Part(c, count);
}

/// One register of one row, at `column` of the panel. Whole registers avoid the masked moves.
template <Activation kActivation, typename V, bool kWhole>
inline void FinishVector(const GemmFinish& f, const float* sums, int64_t row, int64_t column) {
  const int64_t count = f.columns - column;
  const auto load = [count](const float* from) {
    return kWhole ? V::Load(from) : V::LoadPart(from, count);
  };
  V y = ScaledSums<V>(f, sums, column);
  if (f.bias != nullptr) y = y + load(f.bias + column);
  if (f.addend != nullptr) y = y + Addend<V, kWhole>(f, row, column);
  y = Activate<kActivation>(y);
  if (f.scale != nullptr) y = y * load(f.scale + column);
  if (f.residual != nullptr) y = y + load(f.residual + row * f.residual_stride + column);
  StoreResult<V, kWhole>(f, row * f.c_stride + column, count, y);
}

/// The same of a gated panel, whose second half starts at column `half`.
template <Activation kActivation, typename V, bool kWhole>
inline void FinishGatedVector(const GemmFinish& f, const float* sums, int64_t half, int64_t row,
                              int64_t column) {
  const int64_t count = f.columns - column;
  const V y =
      Activate<kActivation>(ScaledSums<V>(f, sums, column)) * ScaledSums<V>(f, sums, half + column);
  StoreResult<V, kWhole>(f, row * f.c_stride + column, count, y);
}

template <Activation kActivation, typename V, int64_t kPanelColumns>
void FinishGatedRows(const GemmFinish& f) {
  const int64_t whole = f.columns / V::kLanes * V::kLanes;
  for (int64_t row = 0; row < f.rows; ++row) {
    const float* sums = f.sums + row * kPanelColumns;
    for (int64_t column = 0; column < whole; column += V::kLanes) {
      FinishGatedVector<kActivation, V, true>(f, sums, kPanelColumns / 2, row, column);
    }
    if (whole < f.columns)
      FinishGatedVector<kActivation, V, false>(f, sums, kPanelColumns / 2, row, whole);
  }
}

enum class Addends { kNone, kF32, kBf16, kResidual };

/// Whole panels with a bias, and at most an addend beside it, as convolutions and layers of
/// transformers have them: nothing is asked for each register. With all steps possible, the second
/// step of a product 64 deep takes a third as long as its first.
template <Activation kActivation, typename V, int64_t kPanelColumns, Addends kAddends>
void FinishBiasedRows(const GemmFinish& f) {
  constexpr int64_t kVectors = kPanelColumns / V::kLanes;
  V bias[kVectors];
  for (int64_t i = 0; i < kVectors; ++i) bias[i] = V::Load(f.bias + i * V::kLanes);
  for (int64_t row = 0; row < f.rows; ++row) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < kVectors; ++i) {
      const int64_t column = i * V::kLanes, at = row * f.addend_stride + column;
      V y = V::Load(f.sums + row * kPanelColumns + column) + bias[i];
      if constexpr (kAddends == Addends::kF32) {
        y = y + V::Load(static_cast<const float*>(f.addend) + at);
      } else if constexpr (kAddends == Addends::kBf16) {
        y = y + V::LoadBf16(static_cast<const uint16_t*>(f.addend) + at);
      }
      y = Activate<kActivation>(y);
      if constexpr (kAddends == Addends::kResidual) {
        y = y + V::Load(f.residual + row * f.residual_stride + column);
      }
      StoreResult<V, true>(f, row * f.c_stride + column, V::kLanes, y);
    }
  }
}

/// Whether FinishBiasedRows has all steps that are wanted. V only names the instruction set, so
/// that copies that are not inlined do not pass for another set's.
template <typename V, int64_t kPanelColumns>
bool OnlyBiased(const GemmFinish& f) {
  return f.columns == kPanelColumns && f.bias != nullptr && f.weight_scale == nullptr &&
         f.scale == nullptr && (f.residual == nullptr || f.addend == nullptr);
}

template <Activation kActivation, typename V, int64_t kPanelColumns>
void FinishRows(const GemmFinish& f) {
  constexpr bool kCommon =
      kActivation == Activation::kNone || kActivation == Activation::kRelu || OnlyBf16<V>;
  if constexpr (kCommon) {
    if (!f.gated && OnlyBiased<V, kPanelColumns>(f)) {
      constexpr Activation kA = kActivation;
      if (f.residual != nullptr) {
        return FinishBiasedRows<kA, V, kPanelColumns, Addends::kResidual>(f);
      }
      if (f.addend == nullptr) return FinishBiasedRows<kA, V, kPanelColumns, Addends::kNone>(f);
      return f.addend_bf16 ? FinishBiasedRows<kA, V, kPanelColumns, Addends::kBf16>(f)
                           : FinishBiasedRows<kA, V, kPanelColumns, Addends::kF32>(f);
    }
  }
  if (f.gated) return FinishGatedRows<kActivation, V, kPanelColumns>(f);
  const int64_t whole = f.columns / V::kLanes * V::kLanes;
  for (int64_t row = 0; row < f.rows; ++row) {
    const float* sums = f.sums + row * kPanelColumns;
    for (int64_t column = 0; column < whole; column += V::kLanes) {
      FinishVector<kActivation, V, true>(f, sums, row, column);
    }
    if (whole < f.columns) FinishVector<kActivation, V, false>(f, sums, row, whole);
  }
}

template <typename V, int64_t kPanelColumns>
void FinishPanel(const GemmFinish& f) {
  switch (f.activation) {
    case Activation::kNone:
      return FinishRows<Activation::kNone, V, kPanelColumns>(f);
    case Activation::kGeluErf:
      return FinishRows<Activation::kGeluErf, V, kPanelColumns>(f);
    case Activation::kGeluTanh:
      return FinishRows<Activation::kGeluTanh, V, kPanelColumns>(f);
    case Activation::kQuickGelu:
      return FinishRows<Activation::kQuickGelu, V, kPanelColumns>(f);
    case Activation::kRelu:
      return FinishRows<Activation::kRelu, V, kPanelColumns>(f);
    case Activation::kTanh:
      return FinishRows<Activation::kTanh, V, kPanelColumns>(f);
    case Activation::kSilu:
      return FinishRows<Activation::kSilu, V, kPanelColumns>(f);
  }
}

}  // namespace vernier
