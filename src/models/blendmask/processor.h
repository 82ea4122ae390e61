// BlendMask's picture processor: upright, RGB, resized by Pillow's bilinear filter, normalised, and
// padded at the right and at the bottom so that every level of the pyramid fits. Follows
// detectron2's DefaultPredictor with AdelaiDet's configuration. Immutable; Process may run in
// several threads at once.
#pragma once

#include <span>

#include "models/blendmask/config.h"
#include "models/preprocess.h"
#include "vernier/tensor.h"

namespace vernier {

/// The size that makes the shorter side `shortest`, or the longer one `longest` where it would
/// exceed that; a side may round to 0.
PictureSize ShortestEdgeSize(PictureSize from, int64_t shortest, int64_t longest);

class BlendMaskProcessor {
 public:
  BlendMaskProcessor(const BlendMaskConfig& config, const ProcessorOverrides& overrides);

  /// What `image` is resized to. Throws Error{kInput} for a picture so narrow that a side vanishes.
  PictureSize NetworkSize(const Image& image) const;

  /// [3, height, width] of what Process writes: the network size, padded.
  Shape OutputShape(const Image& image) const;

  /// Writes the network's input for one picture alone; what surrounds the picture is 0.
  PictureReport Process(const Image& image, std::span<float> out) const;

  /// Settings for results and dumps.
  Json Describe() const;

 private:
  BlendMaskConfig config_;
  ResizeOptions resize_;
  ValueTable values_;  // by channel of the network's input
};

}  // namespace vernier
