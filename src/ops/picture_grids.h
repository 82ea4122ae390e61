// Ops over pictures of different sizes that are packed one behind the other: patches [patches, ...]
// with grids [pictures, 3] (i32: frames, rows and columns of patches, row by row). Grids are values
// of a run, so that one plan serves all pictures of as many patches. Grids that do not add up to
// `patches`, and a picture with more than one frame, end the run with Error{kInput}.
#pragma once

#include "graph/op.h"

namespace vernier {

/// A learned table [rows, columns, width] resampled to every picture's grid: bilinear, half-pixel
/// centres, no antialias, source positions in fp32 as the published model computes them. inputs:
/// table, grids. Result: [patches, width].
struct GridPositions {
  Dim patches;
};

/// Cosines and sines of axial rotary positions: with n = head_dim/4 and f_j = theta^(-j/n), pair
/// j < n turns by row*f_j and pair n + j by column*f_j (angles in fp32). input: grids. Results:
/// cos, sin [patches, head_dim/2].
struct GridRotary {
  Dim patches;
  int64_t head_dim;
  double theta;
};

/// Where each picture's patches start, and where the last one's end: what attention within pictures
/// takes as segments. input: grids. Result: i32 [pictures + 1].
struct GridSegments {
  Dim patches;
};

/// side x side neighbours become one row of their numbers, row by row of the neighbourhood.
/// inputs: x [patches, width], grids. Result: [patches / side^2, side^2 * width].
struct MergeGrid {
  int64_t side;
};

extern const OpDef kGridPositions;
extern const OpDef kGridRotary;
extern const OpDef kGridSegments;
extern const OpDef kMergeGrid;

}  // namespace vernier
