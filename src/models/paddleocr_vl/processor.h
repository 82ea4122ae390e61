// PaddleOCR-VL's image processor: upright, RGB over white, near its own size in whole patches.
// Follows PaddleOCRVLImageProcessor of transformers 5, and with the flavour pillow its Pillow twin
// and the code that was published with the checkpoint. Immutable; Process may run in several
// threads at once.
#pragma once

#include <span>
#include <string>

#include "models/paddleocr_vl/smart_resize.h"
#include "models/preprocess.h"
#include "vernier/tensor.h"

namespace vernier {

struct PaddleOcrVlProcessorConfig {
  int64_t patch_size = 14;
  int64_t merge_size = 2;
  bool resize = true;
  ResizeFilter filter = ResizeFilter::kBicubic;
  ResizeFlavour flavour = ResizeFlavour::kTorch8;
  SmartResizeLimits limits;
  LevelScaling levels;
  bool drop_alpha = false;
  // Pictures with both sides below this are first doubled (spotting); 0: none.
  int64_t double_below = 0;
  int threads = 1;
};

/// The patches of one picture, before merging.
struct OcrGrid {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t merge = 2;

  int64_t patches() const { return rows * columns; }
  /// Tokens that the picture becomes.
  int64_t tokens() const { return patches() / (merge * merge); }
};

class PaddleOcrVlProcessor {
 public:
  /// Reads preprocessor_config.json (or "image_processor" in processor_config.json) of `folder`; a
  /// folder without one gets the published class's defaults. Throws Error{kInput} where patches do
  /// not fit the network.
  static PaddleOcrVlProcessor FromFolder(const std::string& folder, int64_t patch_size,
                                         int64_t merge_size, const ProcessorOverrides& overrides);
  static PaddleOcrVlProcessor FromJson(const Json& config, const ProcessorOverrides& overrides);

  /// The same for the task of spotting: more pixels, and small pictures are doubled first.
  PaddleOcrVlProcessor ForSpotting() const;

  const PaddleOcrVlProcessorConfig& config() const { return config_; }

  /// The grid that a picture gets. Throws Error{kInput} for a picture that is too narrow.
  OcrGrid GridOf(const Image& image) const;

  /// [patches, 3, patch, patch] of what Process writes for this picture.
  Shape OutputShape(const Image& image) const;

  /// Writes one picture's patches, row after row of the grid.
  PictureReport Process(const Image& image, std::span<float> out) const;

  /// Settings for results and dumps.
  Json Describe() const;

 private:
  PaddleOcrVlProcessor(PaddleOcrVlProcessorConfig config, bool limits_are_the_users);
  PictureSize SizeOf(PictureSize upright) const;
  void WritePatchValues(const Image& rgb, std::span<float> out) const;

  PaddleOcrVlProcessorConfig config_;
  bool limits_are_the_users_;
  ValueTable values_;
};

}  // namespace vernier
