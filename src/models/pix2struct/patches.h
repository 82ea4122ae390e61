// From an 8-bit RGB picture to rows of patches: the arithmetic of transformers'
// Pix2StructImageProcessor. Pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "io/image.h"

namespace vernier {

struct PatchSize {
  int64_t height = 16;
  int64_t width = 16;

  /// Numbers of a patch's row: row id, column id, pixels.
  int64_t columns() const { return 2 + 3 * height * width; }
};

struct PatchGrid {
  int64_t rows = 0;
  int64_t columns = 0;

  int64_t patches() const { return rows * columns; }
};

/// The largest grid of at most `max_patches` patches in the shape of the picture.
PatchGrid GridOf(int64_t height, int64_t width, int64_t max_patches, const PatchSize& patch);

struct PatchOptions {
  PatchSize patch;
  PatchGrid grid;
  bool normalize = true;  // to the picture's own mean and deviation
  int threads = 1;
};

/// Resizes `rgb` to the grid and writes grid.patches() rows of patch.columns() numbers, then zeros
/// to the end of `out`. Ids count from 1; inside a patch y, then x, then colour.
void WritePatches(const Image& rgb, const PatchOptions& options, std::span<float> out);

}  // namespace vernier
