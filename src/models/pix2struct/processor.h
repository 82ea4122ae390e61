// Pix2Struct's image processor: transparency over white, a header with the question for VQA models,
// normalisation to the picture's own mean, and patches in the picture's own shape. Follows
// Pix2StructImageProcessor of transformers 5. Immutable; Process may run in several threads at
// once.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "models/pix2struct/header.h"
#include "models/pix2struct/patches.h"
#include "models/preprocess.h"
#include "vernier/tensor.h"

namespace vernier {

struct Pix2StructProcessorConfig {
  PatchSize patch;
  int64_t max_patches = 2048;
  bool normalize = true;
  bool is_vqa = false;
  bool apply_exif = false;
  bool rescale_16bit = false;
  bool allow_empty = false;
  HeaderFonts fonts = {};  // VQA models only
  int64_t max_pixels = kDefaultMaxPixels;
  int threads = 1;
};

/// What the network knows of pictures.
struct Pix2StructLimits {
  int64_t patch_width = 768;  // numbers of a patch
  int64_t seq_len = 4096;     // ids must be below
};

class Pix2StructProcessor {
 public:
  /// Reads preprocessor_config.json (or "image_processor" in processor_config.json) of `folder`;
  /// `is_vqa` is the model's own, where the file says nothing. Throws Error{kInput} where patches
  /// do not fit the network.
  static Pix2StructProcessor FromFolder(const std::string& folder, bool is_vqa,
                                        const Pix2StructLimits& limits,
                                        const ProcessorOverrides& overrides);
  static Pix2StructProcessor FromJson(const Json& config, bool is_vqa,
                                      const Pix2StructLimits& limits,
                                      const ProcessorOverrides& overrides);

  const Pix2StructProcessorConfig& config() const { return config_; }

  /// [max_patches, numbers of a row] of what Process writes.
  Shape OutputShape() const { return {config_.max_patches, config_.patch.columns()}; }

  /// Writes one picture's flattened patches. Throws Error{kInput} for a header that is missing,
  /// unwanted or blank, and for a picture whose ids the position tables do not have.
  PictureReport Process(const Image& image, const PictureHeader& header,
                        std::span<float> out) const;

  /// Settings for results and dumps.
  Json Describe() const;

 private:
  Pix2StructProcessor(Pix2StructProcessorConfig config, const Pix2StructLimits& limits);
  Image ToRgb(const Image& image, PictureReport& report) const;
  Image WithHeader(const Image& rgb, const PictureHeader& header, PictureReport& report) const;

  Pix2StructProcessorConfig config_;
  Pix2StructLimits limits_;
};

/// The attention mask of flattened patches [batch, patches, columns]: 1 for rows that have an id.
Tensor PatchMask(const Tensor& flattened);

}  // namespace vernier
