// Reference attention: plain, masked, packed by segments, and over a paged key-value cache.
#pragma once

#include "backends/ref/kernels.h"

namespace vernier {

void RefAttention(const RefArgs& args);
/// inputs: state (data points to a KvView), k, v; output: the same state, longer.
void RefKvAppend(const RefArgs& args);
void RefCachedAttention(const RefArgs& args);
void RefDistanceBias(const RefArgs& args);

}  // namespace vernier
