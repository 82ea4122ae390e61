// ViT's image processor: resize to a fixed size, rescale, normalise. Follows ViTImageProcessor of
// transformers, whose current version computes with torchvision (flavour torch8) and whose older
// and "Pil" versions compute with Pillow. Immutable; Process may run in several threads at once.
#pragma once

#include <span>
#include <string>

#include "models/preprocess.h"
#include "vernier/tensor.h"

namespace vernier {

struct VitProcessorConfig {
  bool resize = true;
  PictureSize size{224, 224};
  ResizeFilter filter = ResizeFilter::kBilinear;
  ResizeFlavour flavour = ResizeFlavour::kTorch8;
  bool convert_rgb = false;
  LevelScaling levels;
  bool apply_exif = false;
  int threads = 1;
};

class VitProcessor {
 public:
  explicit VitProcessor(const VitProcessorConfig& config);

  /// Reads preprocessor_config.json (or "image_processor" in processor_config.json) of `folder`.
  static VitProcessor FromFolder(const std::string& folder, const ProcessorOverrides& overrides);
  /// `config` is the parsed preprocessor_config.json.
  static VitProcessor FromJson(const Json& config, const ProcessorOverrides& overrides);

  const VitProcessorConfig& config() const { return config_; }

  /// [3, height, width] of what Process writes for this picture.
  Shape OutputShape(const Image& image) const;

  /// Writes the network's input for one picture. Throws Error{kInput} for a picture that is not
  /// RGB, unless told to convert.
  PictureReport Process(const Image& image, std::span<float> out) const;

  /// Settings for results and dumps.
  Json Describe() const;

 private:
  VitProcessorConfig config_;
  ValueTable values_;
};

}  // namespace vernier
