// Packed matrix multiplication in plain C++: the contract that the other instruction sets are
// compared with. Narrow panels (pack.h). Bound: one multiply-add per cycle; not meant to be fast.
#include <cmath>

#include "core/float_types.h"
#include "kernels/cpu/gemm_abi.h"

namespace vernier::scalar {
namespace {

constexpr int64_t kColumns = kNarrowPanelColumns;

float ToFloat(float value) { return value; }
float ToFloat(uint16_t bits) { return FromBf16(bits); }
float ToFloat(int8_t weight) { return weight; }

// Where b[k, 0] lies in a panel, and how far apart its columns are: narrow types come in
// pairs of k.
int64_t Offset(const float*, int64_t k) { return k * kColumns; }
template <typename B>
int64_t Offset(const B*, int64_t k) {
  return k / 2 * 2 * kColumns + k % 2;
}
constexpr int64_t ColumnStep(const float*) { return 1; }
template <typename B>
constexpr int64_t ColumnStep(const B*) {
  return 2;
}

template <typename A, typename B>
void Multiply(const GemmMultiply& g) {
  for (int64_t row = 0; row < g.rows; ++row) {
    const A* a = static_cast<const A*>(g.a) + row * g.a_stride;
    float* sums = g.sums + row * kColumns;
    for (int64_t column = 0; column < kColumns && !g.accumulate; ++column) sums[column] = 0;
    for (int64_t k = 0; k < g.k; ++k) {
      const B* b = static_cast<const B*>(g.b);
      const float factor = ToFloat(a[k]);
      for (int64_t column = 0; column < kColumns; ++column) {
        sums[column] += factor * ToFloat(b[Offset(b, k) + column * ColumnStep(b)]);
      }
    }
  }
}

float Apply(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluErf:
      return 0.5f * x * (1.0f + std::erf(x * 0.70710678118654752f));
    case Activation::kGeluTanh:
      return 0.5f * x * (1.0f + std::tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1.0f + std::exp(-1.702f * x));
    case Activation::kRelu:
      return x < 0 ? 0 : x;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return x / (1.0f + std::exp(-x));
  }
  return x;
}

}  // namespace

void MultiplyF32F32(const GemmMultiply& g) noexcept { Multiply<float, float>(g); }
void MultiplyF32Bf16(const GemmMultiply& g) noexcept { Multiply<float, uint16_t>(g); }
void MultiplyBf16Bf16(const GemmMultiply& g) noexcept { Multiply<uint16_t, uint16_t>(g); }
void MultiplyF32I8(const GemmMultiply& g) noexcept { Multiply<float, int8_t>(g); }
void MultiplyBf16I8(const GemmMultiply& g) noexcept { Multiply<uint16_t, int8_t>(g); }

void Finish(const GemmFinish& f) noexcept {
  for (int64_t row = 0; row < f.rows; ++row) {
    for (int64_t column = 0; column < f.columns; ++column) {
      const auto sum = [&](int64_t at) {
        const float value = f.sums[row * kColumns + at];
        return f.weight_scale == nullptr ? value : value * f.weight_scale[at];
      };
      float y = sum(column);
      if (f.bias != nullptr) y += f.bias[column];
      if (f.addend != nullptr) {
        const int64_t at = row * f.addend_stride + column;
        y += f.addend_bf16 ? FromBf16(static_cast<const uint16_t*>(f.addend)[at])
                           : static_cast<const float*>(f.addend)[at];
      }
      y = Apply(f.activation, y);
      if (f.gated) y *= sum(kColumns / 2 + column);
      if (f.scale != nullptr) y *= f.scale[column];
      if (f.residual != nullptr) y += f.residual[row * f.residual_stride + column];
      const int64_t at = row * f.c_stride + column;
      if (f.c_bf16) {
        static_cast<uint16_t*>(f.c)[at] = ToBf16(y);
      } else {
        static_cast<float*>(f.c)[at] = y;
      }
    }
  }
}

}  // namespace vernier::scalar
