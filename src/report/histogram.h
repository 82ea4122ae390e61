// Counts of values in equal bins. Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vernier {

struct Bin {
  double low = 0;
  double high = 0;
  size_t count = 0;
};

/// Bins of Freedman and Diaconis' width (2 IQR / n^(1/3)), between 5 and 40 of them, over the
/// finite values; values beyond 3 IQR of the quartiles are counted in the outermost bins. Empty for
/// none.
std::vector<Bin> Histogram(std::span<const double> values);

}  // namespace vernier
