// The inputs of a model that reads pictures among text, as its language model takes them: row by
// row and without padding. Checks that tokens and pictures belong together. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "models/paddleocr_vl/positions.h"
#include "vernier/session.h"

namespace vernier {

// The published names of such a model's inputs.
inline constexpr const char* kInputIds = "input_ids";
inline constexpr const char* kInputMask = "attention_mask";
inline constexpr const char* kPixelValues = "pixel_values";
inline constexpr const char* kImageGrids = "image_grid_thw";

/// What a language model has to know to place pictures.
struct PicturePlaces {
  int32_t image_token_id = 0;
  int64_t merge = 2;  // patches per side of one token
};

struct CausalRow {
  std::vector<int32_t> ids;
  SequencePositions positions;
  int64_t first_feature = 0;  // its pictures' rows among those of the batch
  int64_t features = 0;
};

struct CausalRows {
  std::vector<CausalRow> rows;
  int64_t tokens = 0;                // of a row with its padding, which stands on the left
  bool placeholder_written = false;  // a forced id is that of pictures, and yet no place of one

  /// Whether one run can read all rows: none is padded, and the first ids of the placeholder in
  /// that run are those of the pictures.
  bool together() const;
};

/// The input that holds ids to follow the prompts.
inline constexpr const char* kForcedIds = "decoder_input_ids";

/// Reads input_ids [rows, tokens] (i32 or i64), attention_mask of that shape where there is one,
/// and image_grid_thw where there are pictures. Throws Error{kInput} for what does not fit
/// together.
CausalRows ReadCausalRows(const NamedTensors& inputs, const PicturePlaces& places);

/// image_grid_thw as the vision graph takes it (i32), checked against pixel_values.
Tensor CheckedGrids(const NamedTensors& inputs, const PicturePlaces& places);

}  // namespace vernier
