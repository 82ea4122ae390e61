// A detection's mask in its box: the picture's bases, pooled from the box, mixed by the attention
// of the detection's location.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/mask_rows.h"
#include "models/blendmask/config.h"
#include "models/blendmask/nms.h"

namespace vernier {

/// The bases of one picture.
struct BasisMaps {
  int64_t height = 0;
  int64_t width = 0;
  std::span<const float> values;  // [bases, height, width]
};

/// Where one sample reads along one axis: two neighbours and what they count; nothing more than a
/// cell beyond the map.
struct SampleTap {
  int32_t low = 0;
  int32_t high = 0;
  float low_weight = 0;
  float high_weight = 0;

  bool outside() const { return low_weight == 0 && high_weight == 0; }
};

/// Mixes the masks of one picture, from one thread or from many. The maps must outlive it.
class MaskBlender {
 public:
  MaskBlender(const BasisMaps& bases, const BlendMaskConfig& config);

  /// Logits [R, R] of the mask of `box`, which is in pixels of the network's input and may leave
  /// the maps: they are pooled as detectron2's ROIAlign does, and what lies more than a cell
  /// outside of them counts as 0. `attention` is [bases * A * A].
  std::vector<float> Blend(const BoxCorners& box, std::span<const float> attention) const;

 private:
  BasisMaps bases_;
  BlendMaskConfig config_;
  std::vector<SampleTap> attention_taps_;  // along either axis
  const MaskRowKernels& kernels_;
};

}  // namespace vernier
