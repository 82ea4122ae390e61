// The reference backend: runs every op of a graph by its definition, in f32 with fp64 sums.
#pragma once

#include "backends/backend.h"

namespace vernier {

const Backend& RefBackend();

}  // namespace vernier
