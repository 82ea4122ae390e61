// PaddleOCR-VL as graphs. Node names are the module paths of the published checkpoint
// (visual.vision_model…, mlp_AR…, model…, lm_head); those of transformers 5 (model.visual…,
// model.projector…, model.language_model…) and short ones (vision/layer.0, projector/out,
// text/layer.0, …) are aliases. Specification: docs/guide/paddleocr-vl.md.
#pragma once

#include "graph/graph.h"
#include "models/logits_at.h"
#include "models/paddleocr_vl/config.h"

namespace vernier {

/// From patches to what the decoder reads among its tokens. Inputs: pixel_values [patches, 3, p, p]
/// of all pictures, one behind the other; image_grid_thw [pictures, 3] (i32: frames, rows and
/// columns of patches). Output: picture_features [patches / merge^2, hidden of the text]. Both
/// symbols are bound by a plan, the grids themselves are not: pictures see only themselves.
Graph PaddleOcrVlVisionGraph(const PaddleOcrVlConfig& config);

/// Whether a decoder graph places pictures among its tokens, as prefill does, or has none, as the
/// steps that follow.
enum class PaddleOcrVlPictures { kPlaced, kNone };

/// Inputs: input_ids [sequences, new_tokens] (i32); position_ids [3, sequences, new_tokens] (i32:
/// time, row, column); where pictures are placed, picture_features [picture_tokens, hidden] (no
/// rows where the text has no pictures), which take the places of image_token_id in order over the
/// sequences. Appends to the states `model.layers.{i}.self_attn.cache` [sequences, cache_capacity,
/// kv_heads * head_dim]. Output: logits [sequences, new_tokens or 1, vocab_size]. `sequences` is a
/// runtime symbol: one plan serves as many sequences as are alive, without padding; prompts of
/// different lengths are read one after the other, into rows of one cache.
Graph PaddleOcrVlDecoderGraph(const PaddleOcrVlConfig& config, LogitsAt logits,
                              PaddleOcrVlPictures pictures);

}  // namespace vernier
