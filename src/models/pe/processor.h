// Perception Encoder's image processors. Three pipelines are in use and give visibly different
// pixels, so the one that ran is part of every result:
//   meta-squash  bilinear to the size, aspect ignored, in the picture's own mode, then RGB
//   meta-crop    shorter side to the size, then the centre square; same order
//   timm         RGB first, then resize and crop as timm's evaluation transform
// Immutable; Process may run in several threads at once.
#pragma once

#include <span>
#include <string>

#include "models/preprocess.h"
#include "vernier/tensor.h"

namespace vernier {

enum class PePipeline : uint8_t { kMetaSquash, kMetaCrop, kTimm };

const char* Name(PePipeline pipeline);

struct PeProcessorConfig {
  PePipeline pipeline = PePipeline::kMetaSquash;
  PictureSize size{448, 448};
  ResizeFilter filter = ResizeFilter::kBilinear;
  ResizeFlavour flavour = ResizeFlavour::kPillow;
  double crop_pct = 1.0;  // timm only: the crop's share of the resized picture
  bool squash = false;    // timm only: crop_mode "squash" instead of "center"
  std::array<double, 3> mean{0.5, 0.5, 0.5};
  std::array<double, 3> std{0.5, 0.5, 0.5};
  bool apply_exif = false;
  int threads = 1;
};

/// What the checkpoint says when it has no preprocessor_config.json.
struct PeCheckpointFacts {
  int64_t image_size = 448;
  bool timm_layout = false;  // then `pretrained_cfg` of config.json decides
};

class PeProcessor {
 public:
  explicit PeProcessor(const PeProcessorConfig& config);

  static PeProcessor FromFolder(const std::string& folder, const PeCheckpointFacts& facts,
                                const ProcessorOverrides& overrides);

  const PeProcessorConfig& config() const { return config_; }

  /// [3, height, width] of every picture.
  Shape OutputShape() const { return {3, config_.size.height, config_.size.width}; }

  /// Writes the network's input for one picture.
  PictureReport Process(const Image& image, std::span<float> out) const;

  /// Settings for results and dumps.
  Json Describe() const;

 private:
  PeProcessorConfig config_;
  ValueTable values_;
};

}  // namespace vernier
