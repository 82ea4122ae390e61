// Configuration of a Vision Transformer (Dosovitskiy et al. 2021) as transformers writes it in
// config.json: ViTModel and ViTForImageClassification.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/json.h"
#include "ops/elementwise.h"

namespace vernier {

struct VitConfig {
  int64_t hidden_size = 768;
  int64_t layers = 12;
  int heads = 12;
  int64_t head_dim = 64;
  int64_t intermediate_size = 3072;
  ActivationKind activation = ActivationKind::kGelu;
  double layer_norm_eps = 1e-12;
  int64_t image_height = 224, image_width = 224;
  int64_t patch_height = 16, patch_width = 16;
  int64_t channels = 3;
  bool qkv_bias = true;
  int64_t pooler_size = 768;
  ActivationKind pooler_activation = ActivationKind::kTanh;
  bool classifier = false;  // the architecture has a classification head
  std::vector<std::string> labels;

  int64_t grid_rows() const { return image_height / patch_height; }
  int64_t grid_columns() const { return image_width / patch_width; }
};

/// Reads and bounds config.json's fields; throws Error{kInput} naming file and field.
VitConfig ParseVitConfig(const Json& config);

}  // namespace vernier
