// A node that runs its reference kernel: everything on `ref`, and on other backends the data
// movement that is exact however it is written.
#pragma once

#include <memory>

#include "backends/backend.h"

namespace vernier {

/// `provider` is what placement shows.
std::unique_ptr<PreparedNode> PreparePlain(const Node& node, const char* provider);

}  // namespace vernier
