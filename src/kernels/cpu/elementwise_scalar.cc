// Elementwise kernels in plain C++: the contract of the other versions.
#include "kernels/cpu/elementwise.h"

#include <cmath>

#include "kernels/cpu/element_rows.h"

namespace vernier {
namespace {

float Apply(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluErf:
      return 0.5f * x * std::erfc(x * -0.70710678f);
    case Activation::kGeluTanh:
      return 0.5f * x * (1.0f + std::tanh(0.79788456f * (x + 0.044715f * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1.0f + std::exp(-1.702f * x));
    case Activation::kRelu:
      return x < 0.0f ? 0.0f : x;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSilu:
      return x / (1.0f + std::exp(-x));
  }
  return x;
}

void Add(const AddArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    for (int64_t column = 0; column < args.columns; ++column) {
      PutElement(GetElement(args.a, row, column) + GetElement(args.b, row % args.b_period, column),
                 args.out, row, column);
    }
  }
}

void ScaleColumns(const ScaleColumnsArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    for (int64_t column = 0; column < args.columns; ++column) {
      PutElement(GetElement(args.in, row, column) * args.factors[column], args.out, row, column);
    }
  }
}

void Activate(const ActivateArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    for (int64_t column = 0; column < args.columns; ++column) {
      PutElement(Apply(args.activation, GetElement(args.in, row, column)), args.out, row, column);
    }
  }
}

void MeanRows(const MeanRowsArgs& args) noexcept {
  for (int64_t column = 0; column < args.columns; ++column) {
    double sum = 0.0;
    for (int64_t row = 0; row < args.rows; ++row) sum += args.in[row * args.in_stride + column];
    args.out[column] = static_cast<float>(sum / static_cast<double>(args.rows));
  }
}

}  // namespace

namespace scalar {
const ElementwiseKernels kElementwise = {"scalar", Add, ScaleColumns, Activate, MeanRows};
}  // namespace scalar

}  // namespace vernier
