// Where the error of a comparison comes from, by name.
#pragma once

#include <span>

#include "verify/comparison.h"
#include "verify/gates.h"

namespace vernier {

Culprits FindCulprits(const Comparison& comparison, std::span<const Gate> gates);

}  // namespace vernier
