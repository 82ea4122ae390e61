// Rotary position embedding (Su et al. 2021) and the tables of its two-dimensional form.
#pragma once

#include "graph/op.h"

namespace vernier {

/// Rotates channel pairs of each head: (a, b) to (a cos - b sin, b cos + a sin).
/// Interleaved: channels 2j and 2j+1 form a pair; otherwise j and j + dim/2.
/// inputs: x [batch, tokens, heads*dim], cos [tokens, dim/2], sin [tokens, dim/2]
struct Rope {
  int heads;
  bool interleaved;
};

/// Cosines and sines for a rows x columns grid, row by row, after `leading` unrotated tokens:
/// outputs cos, sin [leading + rows*columns, head_dim/2]. With n = head_dim/4 and
/// f_j = theta^(-j/n), pair j < n turns by X*f_j and pair n + j by Y*f_j, where
/// X = column + offset and Y = row + offset, rescaled to X / columns * reference_columns (and Y
/// likewise) when a reference grid is given (0: none). Source: perception_models
/// core/vision_encoder/rope.py and timm's RotaryEmbeddingCat, as in the PE specification.
struct RopeTable2d {
  Dim rows;
  Dim columns;
  int64_t head_dim;
  int64_t leading = 0;
  int64_t offset = 0;
  double theta = 10000.0;
  int64_t reference_rows = 0;
  int64_t reference_columns = 0;
};

extern const OpDef kRope;
extern const OpDef kRopeTable2d;

}  // namespace vernier
