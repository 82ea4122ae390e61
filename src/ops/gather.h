// Gather: rows of a table by their ids (ONNX Gather on axis 0): position and token embeddings, and
// the rows that a head reads.
#pragma once

#include "graph/op.h"

namespace vernier {

/// inputs: table [rows, ...], ids [...] (i32, i64, or f32 with whole numbers, as a processor that
/// keeps ids beside pixels stores them). Result: [ids..., ...]. An id outside of 0..rows-1 ends the
/// run with Error{kInput}.
struct Gather {};

extern const OpDef kGather;

}  // namespace vernier
