// ResizeGrid: resamples a learned position table [rows, columns, width] to another grid.
#pragma once

#include "graph/op.h"

namespace vernier {

enum class GridResampling {
  kBicubic,           // a = -0.75, no antialias: torch interpolate(mode="bicubic")
  kBicubicAntialias,  // a = -0.5, antialias: torch interpolate(mode="bicubic", antialias=True)
  kBilinear,          // no antialias: torch interpolate(mode="bilinear")
};

/// Half-pixel centres in all modes (align_corners=False).
struct ResizeGrid {
  GridResampling resampling;
  Dim rows;
  Dim columns;
};

extern const OpDef kResizeGrid;

}  // namespace vernier
