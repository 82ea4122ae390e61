#include "metrics/neighbour_correlation.h"

#include <algorithm>
#include <cmath>

#include "metrics/tensor_metrics.h"

namespace vernier {

double NeighbourCorrelation(const TensorView& pictures) {
  if (pictures.dtype != DType::kF32 || pictures.shape.rank() < 2) return kNoFigure;
  constexpr int64_t kMostPairs = 1'000'000;
  const int64_t width = pictures.shape[-1];
  if (width < 2) return kNoFigure;
  const int64_t rows = std::min(pictures.shape.elements() / width, kMostPairs / (width - 1) + 1);
  const auto values = pictures.as<float>();
  double left_sum = 0, right_sum = 0, left_squares = 0, right_squares = 0, products = 0;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column + 1 < width; ++column) {
      const auto at = static_cast<size_t>(row * width + column);
      const double left = static_cast<double>(values[at]);
      const double right = static_cast<double>(values[at + 1]);
      left_sum += left;
      right_sum += right;
      left_squares += left * left;
      right_squares += right * right;
      products += left * right;
    }
  }
  const auto count = static_cast<double>(rows * (width - 1));
  const double covariance = products - left_sum * right_sum / count;
  const double left_spread = left_squares - left_sum * left_sum / count;
  const double right_spread = right_squares - right_sum * right_sum / count;
  if (!(left_spread > 0) || !(right_spread > 0)) return kNoFigure;
  return covariance / std::sqrt(left_spread * right_spread);
}

}  // namespace vernier
