// Rotary positions of a sequence of text and pictures: three counters that go together over text
// and part over a picture's rows and columns. Follows get_rope_index of transformers 5. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "models/paddleocr_vl/processor.h"

namespace vernier {

/// One sequence, without padding.
struct SequencePositions {
  std::array<std::vector<int32_t>, 3> axes;  // temporal, height, width; one number per token
  /// What a position behind the sequence lies off its index: mostly negative, as a picture advances
  /// the counters by its longer side and not by its tokens.
  int64_t delta = 0;
};

/// Positions of `ids`, in which every run of `image_token` belongs to the next of `pictures`.
/// Throws Error{kInput} where tokens and pictures do not match.
SequencePositions PositionsOf(std::span<const int32_t> ids, int32_t image_token,
                              std::span<const OcrGrid> pictures);

/// Throws Error{kInput} in the published model's words unless `tokens` equals `features`.
void RequireImageTokens(int64_t tokens, int64_t features);

}  // namespace vernier
