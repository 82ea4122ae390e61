// Configuration of PaddleOCR-VL (Cui et al. 2025) as published in config.json: flat, with the
// decoder's fields at the root, or nested in text_config as transformers 5 writes it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "io/json.h"
#include "ops/elementwise.h"

namespace vernier {

struct PaddleOcrVlVisionConfig {
  int64_t hidden_size = 1152;
  int64_t intermediate_size = 4304;
  int64_t layers = 27;
  int heads = 16;
  int64_t patch_size = 14;
  int64_t image_size = 384;  // of the learned position grid: image_size / patch_size a side
  ActivationKind activation = ActivationKind::kGeluTanh;
  double layer_norm_eps = 1e-6;
  int64_t merge_size = 2;  // merge_size x merge_size patches become one token
  double rope_theta = 10000.0;

  int64_t head_dim() const { return hidden_size / heads; }
  int64_t grid() const { return image_size / patch_size; }
  int64_t merged_width() const { return hidden_size * merge_size * merge_size; }
};

struct PaddleOcrVlTextConfig {
  int64_t vocab_size = 103424;
  int64_t hidden_size = 1024;
  int64_t intermediate_size = 3072;
  int64_t layers = 18;
  int heads = 16;
  int kv_heads = 2;
  int64_t head_dim = 128;  // independent of hidden_size / heads
  ActivationKind activation = ActivationKind::kSilu;
  double rms_norm_eps = 1e-5;
  bool use_bias = false;
  double rope_theta = 500000.0;
  std::array<int64_t, 3> mrope_section = {16, 24, 24};
  int64_t max_position_embeddings = 131072;
  int64_t pad_token_id = 0;
  std::vector<int64_t> eos_token_ids = {2};

  int64_t attention_width() const { return heads * head_dim; }
  int64_t cache_width() const { return kv_heads * head_dim; }
};

struct PaddleOcrVlConfig {
  PaddleOcrVlVisionConfig vision;
  PaddleOcrVlTextConfig text;
  int64_t image_token_id = 100295;
  int64_t vision_start_token_id = 101305;
  int64_t vision_end_token_id = 101306;
  /// What the file says. A loader goes by whether lm_head.weight is stored: published files say
  /// both things about the same weights.
  bool tied_embeddings = false;
};

/// Reads and bounds config.json's fields in either layout; throws Error{kInput} naming file and
/// field.
PaddleOcrVlConfig ParsePaddleOcrVlConfig(const Json& config);

}  // namespace vernier
