// Configuration of a Perception Encoder (Bolya et al. 2025), PE-Lang-L14-448 and smaller: from our
// config.json in the original's field names, from timm's config.json, or from the checkpoint's
// tensors where the original ships no file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "io/json.h"
#include "vernier/tensor.h"

namespace vernier {

/// The two code bases disagree away from the native grid.
enum class PeSemantics {
  kOriginal,  // bilinear position table, raw rotary positions, any image size
  kTimm,      // antialiased bicubic table, rotary positions rescaled to a reference grid
};

struct PeConfig {
  int64_t image_height = 448, image_width = 448;
  int64_t patch_size = 14;
  int64_t width = 1024;
  int64_t layers = 23;
  int heads = 16;
  int64_t mlp_width = 4096;
  double layer_norm_eps = 1e-5;
  PeSemantics semantics = PeSemantics::kOriginal;
  bool dynamic_image_size = true;  // timm: only when the file says so
  int64_t reference_rows = 0;      // timm's ref_feat_shape; 0: none
  int64_t reference_columns = 0;

  int64_t grid_rows() const { return image_height / patch_size; }
  int64_t grid_columns() const { return image_width / patch_size; }
  int64_t head_dim() const { return width / heads; }
};

/// True when config.json is timm's (it has "architecture").
bool IsTimmPeConfig(const Json& config);
PeConfig ParseTimmPeConfig(const Json& config);
/// Fields of the original's PEConfig. Throws Error{kInput} for variants that are not supported.
PeConfig ParseOriginalPeConfig(const Json& config);

/// Shape of a tensor by its canonical name (the original's), absent when there is none.
using PeShapeOf = std::function<std::optional<Shape>(const std::string&)>;

/// PE-Lang-L's constants with the sizes that the tensors show; `where` names the checkpoint.
PeConfig InferPeConfig(const PeShapeOf& shape_of, const std::string& where);

/// Refuses by name what is not a PE-Lang-L-like encoder: PE-Core (ln_post, attention pooling,
/// proj), PE-Spatial (no layer scale), the G models (no class token).
void RequirePeLang(const PeShapeOf& shape_of, const std::string& where);

/// Throws unless heads, patches and sizes fit each other.
void CheckPeConfig(const PeConfig& config, const std::string& where);

}  // namespace vernier
