#include "io/resize_taps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/check.h"

namespace vernier {
namespace {

// Pillow's accumulators are 32-bit: 8 bits of pixel and 2 of headroom for negative lobes remain.
constexpr int kMaxTapBits = 22;
// torchvision multiplies in 16 bits.
constexpr int32_t kTorchTapLimit = 1 << 15;

double Box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double Triangle(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double Hamming(double x) {
  x = std::abs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  // Pillow writes the window's constants in single precision.
  return std::sin(x) / x * (0.54F + 0.46F * std::cos(x));
}

double Keys(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double Lanczos3(double x) { return x >= -3.0 && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

struct Kernel {
  double (*weight)(double);
  double reach;  // half of the width, in source samples when nothing shrinks
};

Kernel KernelOf(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kBox:
      return {Box, 0.5};
    case ResizeFilter::kBilinear:
      return {Triangle, 1.0};
    case ResizeFilter::kHamming:
      return {Hamming, 1.0};
    case ResizeFilter::kBicubic:
      return {Keys, 2.0};
    case ResizeFilter::kLanczos:
      return {Lanczos3, 3.0};
    case ResizeFilter::kNearest:
      break;
  }
  VN_CHECK(filter != ResizeFilter::kNearest);
  return {};
}

int TapBits(ResizeFlavour flavour, const TapTable<double>& table) {
  if (flavour != ResizeFlavour::kTorch8) return kMaxTapBits;
  const double greatest = *std::max_element(table.weights.begin(), table.weights.end());
  int bits = 0;
  while (bits < kMaxTapBits &&
         static_cast<int32_t>(0.5 + greatest * (1 << (bits + 1))) < kTorchTapLimit)
    ++bits;
  return bits;
}

}  // namespace

TapTable<double> FilterTaps(ResizeFilter filter, int64_t from, int64_t to) {
  const Kernel kernel = KernelOf(filter);
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0);
  const double reach = kernel.reach * stretch;
  const double shrink = 1.0 / stretch;
  TapTable<double> table;
  table.begin.push_back(0);
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(centre - reach + 0.5));
    const int64_t last = std::min(from, static_cast<int64_t>(centre + reach + 0.5));
    const size_t begin = table.weights.size();
    double total = 0.0;
    for (int64_t j = first; j < last; ++j) {
      table.weights.push_back(kernel.weight((static_cast<double>(j) - centre + 0.5) * shrink));
      total += table.weights.back();
    }
    if (total != 0.0)
      for (size_t j = begin; j < table.weights.size(); ++j) table.weights[j] /= total;
    table.first.push_back(first);
    table.begin.push_back(static_cast<int64_t>(table.weights.size()));
  }
  return table;
}

FixedTaps FixedFilterTaps(ResizeFlavour flavour, ResizeFilter filter, int64_t from, int64_t to) {
  TapTable<double> exact = FilterTaps(filter, from, to);
  const int bits = TapBits(flavour, exact);
  FixedTaps fixed;
  fixed.bits = bits;
  fixed.table.first = std::move(exact.first);
  fixed.table.begin = std::move(exact.begin);
  fixed.table.weights.reserve(exact.weights.size());
  for (const double weight : exact.weights)
    fixed.table.weights.push_back(
        static_cast<int32_t>(weight * (1 << bits) + (weight < 0 ? -0.5 : 0.5)));
  return fixed;
}

std::vector<int64_t> NearestIndices(ResizeFlavour flavour, ImageMode mode, int64_t from,
                                    int64_t to) {
  std::vector<int64_t> indices;
  indices.reserve(static_cast<size_t>(to));
  const auto push = [&](auto position) {
    indices.push_back(std::min(from - 1, static_cast<int64_t>(position)));
  };
  const double step = static_cast<double>(from) / static_cast<double>(to);
  double position = step * 0.5;
  for (int64_t i = 0; i < to; ++i, position += step) {
    if (flavour == ResizeFlavour::kTorch8)
      push((static_cast<float>(i) + 0.5F) * (static_cast<float>(from) / static_cast<float>(to)));
    else if (mode == ImageMode::kI16)
      push((static_cast<double>(i) + 0.5) * step);
    else
      push(position);
  }
  return indices;
}

}  // namespace vernier
