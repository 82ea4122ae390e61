// Reference kernels of packed pictures: positions, segments and merging by each picture's grid, and
// the placing of their rows among tokens.
#pragma once

#include "backends/ref/kernels.h"

namespace vernier {

void RefGridPositions(const RefArgs& args);
void RefGridRotary(const RefArgs& args);
void RefGridSegments(const RefArgs& args);
void RefMergeGrid(const RefArgs& args);
void RefPlacePictures(const RefArgs& args);

}  // namespace vernier
