// What the processors of all families share: options from the command line, the record of what was
// done to a picture, and the last step from 8-bit RGB to the network's fp32 input.
// Preprocessing is part of accuracy, so every result carries its PictureReport.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/image.h"
#include "io/json.h"
#include "io/resize.h"

namespace vernier {

struct PictureSize {
  int64_t height = 0;
  int64_t width = 0;

  bool operator==(const PictureSize&) const = default;
};

/// What a user may set against the checkpoint's own configuration.
struct ProcessorOverrides {
  std::optional<ResizeFlavour> flavour = {};
  std::optional<std::string> pipeline = {};  // Perception Encoder only
  std::optional<PictureSize> size = {};
  bool convert_rgb = false;
  bool apply_exif = false;
  int threads = 1;
  // Pix2Struct only.
  std::optional<int64_t> max_patches = {};
  bool rescale_16bit = false;  // 16-bit grey by its high byte instead of clipped
  bool allow_empty = false;    // a question of blanks
  std::string font = {};       // file; empty: Arial or DejaVu Sans, as this machine has them
  int64_t max_image_pixels = kDefaultMaxPixels;  // of a picture with its header
  // PaddleOCR-VL only: pixels that the model gets.
  std::optional<int64_t> min_pixels = {};
  std::optional<int64_t> max_pixels = {};
  bool drop_alpha = false;  // show what lies under transparency instead of white
};

/// What stands above a picture of a model that reads its question there: a text to draw, or a
/// picture of one.
struct PictureHeader {
  std::optional<std::string> question = {};
  const Image* image = nullptr;
};

/// What was done to one picture, in order.
struct PictureReport {
  std::string mode;  // as decoded
  PictureSize size;  // as decoded
  int exif_orientation = 1;
  PictureSize network_size = {};   // of the picture within the input; zeros: all of it
  std::vector<std::string> steps;  // "resized 480x640 to 224x224 (torch8, bilinear, width first)"
  std::vector<std::string> warnings;  // the decoder's, and an orientation that was left alone

  Json ToJson() const;
};

/// The report of a picture before any step, and the picture turned upright if `apply_exif`.
PictureReport BeginReport(const Image& image, bool apply_exif);

/// The step "resized …" for the record.
std::string ResizeStep(PictureSize from, PictureSize to, const ResizeOptions& options);

/// The input value for each level of each of the three channels.
using ValueTable = std::array<std::array<float, 256>, 3>;

/// (level / 255 - mean) / std, every step rounded to fp32: torchvision's ToTensor and Normalize.
ValueTable TensorThenNormalize(std::span<const double, 3> mean, std::span<const double, 3> std);

/// What a folder says about its image processor: preprocessor_config.json, else "image_processor"
/// in processor_config.json, else null.
Json ImageProcessorConfig(const std::string& folder);

/// rescale and normalize of transformers' image processors.
struct LevelScaling {
  bool rescale = true;
  double rescale_factor = 1.0 / 255.0;
  bool normalize = true;
  std::array<double, 3> mean{0.5, 0.5, 0.5};
  std::array<double, 3> std{0.5, 0.5, 0.5};
};

/// do_rescale, rescale_factor, do_normalize, image_mean and image_std of preprocessor_config.json.
LevelScaling ParseLevelScaling(const Json& config, const LevelScaling& otherwise);

/// Level by level what transformers computes over whole pictures: with torch8 its tensor form,
/// which folds both steps into one, else its numpy form.
ValueTable RescaleThenNormalize(const LevelScaling& scaling, ResizeFlavour flavour);

/// Writes `rgb` as [3, height, width] through the table. `out` must hold exactly that.
void WritePixelValues(const Image& rgb, const ValueTable& table, std::span<float> out);

/// A side length from a configuration: Error{kInput} unless it is 1 to kMaxImageSide.
int64_t CheckedSide(int64_t value, const std::string& where);

/// Three numbers; standard deviations may not be zero.
std::array<double, 3> ThreeChannels(const Json& config, std::string_view key,
                                    std::array<double, 3> otherwise, bool may_be_zero);

}  // namespace vernier
