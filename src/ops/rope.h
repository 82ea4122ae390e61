// Rotary position embedding (Su et al. 2021) and the tables of its two-dimensional form and of the
// multimodal one.
#pragma once

#include <array>

#include "graph/op.h"

namespace vernier {

/// Rotates channel pairs of each head: (a, b) to (a cos - b sin, b cos + a sin).
/// Interleaved: channels 2j and 2j+1 form a pair; otherwise j and j + dim/2.
/// inputs: x [batch, tokens, heads*dim] or, packed, [tokens, heads*dim]; cos and sin [tokens,
/// dim/2], or [batch, tokens, dim/2] where the entries of a batch have positions of their own
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

/// Cosines and sines of tokens with three positions each (time, row and column: the M-RoPE of
/// Qwen2-VL, Wang et al. 2024). Pair j turns by p*theta^(-2j/head_dim), frequency and angle in fp32
/// as published models compute them, where p is the first position for the first sections[0]
/// pairs, the second for the next sections[1], and so on. input: positions [3, sequences, tokens]
/// (i32). Results: cos, sin [sequences, tokens, head_dim/2].
struct MultimodalRopeTable {
  int64_t head_dim;
  double theta;
  std::array<int64_t, 3> sections;
};

extern const OpDef kRope;
extern const OpDef kRopeTable2d;
extern const OpDef kMultimodalRopeTable;

}  // namespace vernier
