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

// `a` is the slope at distance one.
double Cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

double Keys(double x) { return Cubic(x, -0.5); }

// torchvision's bicubic changes its slope with the antialias.
double SteepCubic(double x) { return Cubic(x, -0.75); }

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

int TapBits(ResizeFlavour flavour, double greatest) {
  if (flavour != ResizeFlavour::kTorch8) return kMaxTapBits;
  int bits = 0;
  while (bits < kMaxTapBits &&
         static_cast<int32_t>(0.5 + greatest * (1 << (bits + 1))) < kTorchTapLimit)
    ++bits;
  return bits;
}

// Taps of torchvision without antialias: as many as the kernel spans, whatever the scale. Those
// beyond an edge are added to the edge's. `greatest` is the greatest weight met while adding, which
// can exceed the greatest of the sums; torchvision chooses its bits by it.
struct NarrowTaps {
  TapTable<double> table;
  double greatest = 0.0;
};

NarrowTaps NarrowFilterTaps(ResizeFilter filter, int64_t from, int64_t to) {
  const bool cubic = filter == ResizeFilter::kBicubic;
  const auto weight = cubic ? SteepCubic : Triangle;
  const int64_t reach = cubic ? 2 : 1;
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  NarrowTaps taps;
  auto& [first, begin, weights] = taps.table;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = scale * (static_cast<double>(i) + 0.5) - 0.5;
    const double position = cubic ? centre : std::max(centre, 0.0);
    // The floor is taken in single precision.
    const int64_t left =
        std::min(from - 1, static_cast<int64_t>(std::floor(static_cast<float>(position))));
    const double fraction = std::clamp(position - static_cast<double>(left), 0.0, 1.0);
    const auto clamped = [&](int64_t at) { return std::clamp<int64_t>(at, 0, from - 1); };
    first.push_back(clamped(left + 1 - reach));
    begin.push_back(static_cast<int64_t>(weights.size()));
    weights.resize(weights.size() + static_cast<size_t>(clamped(left + reach) - first.back() + 1));
    for (int64_t j = 1 - reach; j <= reach; ++j) {
      double& sum = weights[static_cast<size_t>(begin.back() + clamped(left + j) - first.back())];
      sum += weight(static_cast<double>(j) - fraction);
      taps.greatest = std::max(taps.greatest, sum);
    }
  }
  begin.push_back(static_cast<int64_t>(weights.size()));
  return taps;
}

FixedTaps Fixed(TapTable<double> exact, int bits) {
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

FixedTaps FixedFilterTaps(const ResizeOptions& options, int64_t from, int64_t to) {
  if (!options.antialias) {
    NarrowTaps narrow = NarrowFilterTaps(options.filter, from, to);
    return Fixed(std::move(narrow.table), TapBits(options.flavour, narrow.greatest));
  }
  TapTable<double> exact = FilterTaps(options.filter, from, to);
  const double greatest = *std::max_element(exact.weights.begin(), exact.weights.end());
  return Fixed(std::move(exact), TapBits(options.flavour, greatest));
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
