// The projector of PaddleOCR-VL: encoded patches to the decoder's rows.
#pragma once

#include "graph/graph.h"
#include "models/paddleocr_vl/config.h"

namespace vernier {

/// patches [patches, vision hidden] and grids [pictures, 3] to [patches / merge^2, text hidden].
Value PaddleOcrVlProjector(Value patches, Value grids, const PaddleOcrVlConfig& config);

}  // namespace vernier
