// The reference of Gather, and the reading of its ids, which other backends share.
#pragma once

#include "backends/ref/kernels.h"

namespace vernier {

/// The id at dense index `index`. Throws Error{kInput} for one that no row of `rows` has, and for
/// an f32 that is no whole number.
int64_t CheckedRowId(const TensorArg& ids, int64_t index, int64_t rows);

void RefGather(const RefArgs& args);

}  // namespace vernier
