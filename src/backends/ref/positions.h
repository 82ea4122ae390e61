// Reference kernels of positions: rotary embedding, its tables, resampled position tables.
#pragma once

#include "backends/ref/kernels.h"

namespace vernier {

void RefRope(const RefArgs& args);
void RefRopeTable2d(const RefArgs& args);
void RefMultimodalRopeTable(const RefArgs& args);
void RefResizeGrid(const RefArgs& args);

}  // namespace vernier
