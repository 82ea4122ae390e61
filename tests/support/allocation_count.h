// How often a test's program has allocated by `new`. Linked into one, the .cc replaces the
// operator.
#pragma once

#include <cstdint>

namespace vernier::testing {

int64_t AllocationsSoFar();

}  // namespace vernier::testing
