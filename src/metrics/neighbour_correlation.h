// Whether a picture is one: neighbouring pixels of photographs, pages and drawings resemble each
// other, those of made-up noise do not.
#pragma once

#include "vernier/tensor.h"

namespace vernier {

/// Correlation of horizontally neighbouring values of [.., height, width], over the first million
/// pairs; NaN where that is not defined: no floats, fewer than two columns, constant values.
double NeighbourCorrelation(const TensorView& pictures);

/// Below it, pixels are taken for noise: all test pictures here have 0.95 and more, noise 0.
inline constexpr double kLeastPictureCorrelation = 0.2;

}  // namespace vernier
