#include "metrics/share_interval.h"

#include <algorithm>
#include <cmath>

namespace vernier {

std::pair<double, double> ShareInterval(double share, double count) {
  if (count <= 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
  const double z2 = kZ * kZ;
  const double centre = (share + z2 / (2 * count)) / (1 + z2 / count);
  const double half =
      kZ / (1 + z2 / count) * std::sqrt(share * (1 - share) / count + z2 / (4 * count * count));
  // At the ends, rounding may leave the range that a share has.
  return {std::max(centre - half, 0.0), std::min(centre + half, 1.0)};
}

}  // namespace vernier
