#include "models/paddleocr_vl/smart_resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr double kLargestRatio = 200;

// As Python writes a float: "210.0", not "210".
std::string PythonText(double value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

// Python's round: half to even, which is how a fresh floating-point environment rounds.
double Round(double value) { return std::nearbyint(value); }

}  // namespace

PictureSize SmartResize(PictureSize from, const SmartResizeLimits& limits) {
  // In doubles and in this order of operations: a quotient that is off by an ulp changes a size.
  const auto factor = static_cast<double>(limits.factor);
  const auto most = static_cast<double>(limits.max_pixels);
  const auto least = static_cast<double>(limits.min_pixels);
  auto height = static_cast<double>(from.height), width = static_cast<double>(from.width);
  if (height < factor) {
    width = Round((width * factor) / height);
    height = factor;
  }
  if (width < factor) {
    height = Round((height * factor) / width);
    width = factor;
  }
  const double ratio = std::max(height, width) / std::min(height, width);
  if (ratio > kLargestRatio) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("absolute aspect ratio must be smaller than 200, got {}", PythonText(ratio)),
        fmt::format("the picture is {} pixels high and {} wide: cut it into parts", from.height,
                    from.width));
  }
  double rows = Round(height / factor) * factor;
  double columns = Round(width / factor) * factor;
  if (rows * columns > most) {
    const double shrink = std::sqrt((height * width) / most);
    rows = std::max(factor, std::floor(height / shrink / factor) * factor);
    columns = std::max(factor, std::floor(width / shrink / factor) * factor);
  } else if (rows * columns < least) {
    const double grow = std::sqrt(least / (height * width));
    rows = std::ceil(height * grow / factor) * factor;
    columns = std::ceil(width * grow / factor) * factor;
  }
  return {static_cast<int64_t>(rows), static_cast<int64_t>(columns)};
}

}  // namespace vernier
