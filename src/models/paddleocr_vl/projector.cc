#include "models/paddleocr_vl/projector.h"

#include "nn/layers.h"
#include "ops/picture_grids.h"

namespace vernier {

Value PaddleOcrVlProjector(Value patches, Value grids, const PaddleOcrVlConfig& config) {
  constexpr double kEps = 1e-5;  // of this norm alone, and in no configuration
  const Path at("mlp_AR");
  const PaddleOcrVlVisionConfig& c = config.vision;
  Value x = nn::LayerNorm(patches, at / "pre_norm", kEps);
  x = patches.graph->Add(kMergeGrid, Attributes::Of(MergeGrid{c.merge_size}), {x, grids},
                         at / "#merged");
  x = nn::Linear(x, at / "linear_1", c.merged_width());
  x = nn::Activate(x, ActivationKind::kGelu, at / "act");
  return nn::Linear(x, at / "linear_2", config.text.hidden_size);
}

}  // namespace vernier
