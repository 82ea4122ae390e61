// Gather: rows of a table by their ids (ONNX Gather on axis 0): position and token embeddings, and
// the rows that a head reads. PlacePictures: what was computed of pictures, among embedded tokens.
#pragma once

#include <string>

#include "graph/op.h"

namespace vernier {

/// inputs: table [rows, ...], ids [...] (i32, i64, or f32 with whole numbers, as a processor that
/// keeps ids beside pixels stores them). Result: [ids..., ...]. An id outside of 0..rows-1 ends the
/// run with Error{kInput}.
struct Gather {};

/// inputs: x [..., tokens, width], ids [..., tokens] (i32), rows [count, width]. Result: x with the
/// rows, in their order, where an id is the placeholder; x itself at placeholders behind the last
/// row, which are text that an answer wrote. Fewer placeholders than rows end the run with
/// Error{kInput} and this hint.
struct PlacePictures {
  int64_t placeholder;
  std::string hint;
};

extern const OpDef kGather;
extern const OpDef kPlacePictures;

}  // namespace vernier
