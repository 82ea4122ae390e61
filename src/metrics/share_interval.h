// How well a share is known that comes from counting: Wilson's 95 % interval of a proportion
// (Wilson, 1927), which keeps its promise for small counts and shares near 0 and 1.
#pragma once

#include <utility>

namespace vernier {

/// Of a share observed over `count` independent samples; {0, 1} without samples.
std::pair<double, double> ShareInterval(double share, double count);

}  // namespace vernier
