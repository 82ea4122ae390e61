// Which of the objects that one detector found another found again. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vernier/instances.h"

namespace vernier {

/// Indices of objects that are taken for one.
struct InstancePair {
  int64_t reference = 0;
  int64_t candidate = 0;
};

/// Every object of the reference, in its order, goes to the candidate's object of its class that
/// overlaps it most, of those that are still free and overlap by a half or more.
std::vector<InstancePair> MatchInstances(std::span<const Instance> reference,
                                         std::span<const Instance> candidate);

}  // namespace vernier
