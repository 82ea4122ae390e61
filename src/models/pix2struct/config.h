// Configuration of Pix2Struct (Lee et al. 2023) as transformers writes it in config.json:
// Pix2StructForConditionalGeneration, an encoder over picture patches and a T5-like decoder.
#pragma once

#include <cstdint>
#include <vector>

#include "io/json.h"
#include "ops/elementwise.h"

namespace vernier {

struct Pix2StructVisionConfig {
  int64_t hidden_size = 768;
  int64_t patch_width = 768;  // numbers of a patch, 3 · height · width (patch_embed_hidden_size)
  int64_t d_ff = 2048;
  int64_t d_kv = 64;
  int64_t layers = 12;
  int heads = 12;
  ActivationKind activation = ActivationKind::kGeluTanh;
  double layer_norm_eps = 1e-6;
  int64_t seq_len = 4096;  // rows of the position tables; ids count from 1

  int64_t attention_width() const { return heads * d_kv; }
};

struct Pix2StructTextConfig {
  int64_t hidden_size = 768;
  int64_t vocab_size = 50244;
  int64_t d_ff = 2048;
  int64_t d_kv = 64;
  int64_t layers = 12;
  int heads = 12;
  ActivationKind activation = ActivationKind::kGeluTanh;
  double layer_norm_eps = 1e-6;
  int64_t relative_attention_buckets = 32;
  int64_t relative_attention_max_distance = 128;
  int64_t pad_token_id = 0;
  int64_t decoder_start_token_id = 0;
  std::vector<int64_t> eos_token_ids = {1};
};

struct Pix2StructConfig {
  Pix2StructVisionConfig vision;
  Pix2StructTextConfig text;
  bool is_vqa = false;           // the question is drawn above the picture
  bool tied_embeddings = false;  // the head's weight is the token embedding
};

/// Reads and bounds config.json's fields, both halves; throws Error{kInput} naming file and field.
Pix2StructConfig ParsePix2StructConfig(const Json& config);

}  // namespace vernier
