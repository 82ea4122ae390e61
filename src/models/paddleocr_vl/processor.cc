#include "models/paddleocr_vl/processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "io/image_convert.h"
#include "models/config_checks.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int64_t kLargestPatch = 256;
constexpr int64_t kLargestMerge = 16;
// A side of kMaxImageSide squared.
constexpr int64_t kMostPixels = kMaxImageSide * kMaxImageSide;

// What the model cards of versions 1.5 and later do to pictures for this task.
constexpr int64_t kSpottingTokens = 2048;
constexpr int64_t kSpottingDoubledBelow = 1500;

constexpr double kSmallTextIsLost = 2.0;  // times that a side shrinks

// Of the class, for folders that say nothing.
LevelScaling ClassScaling() {
  return {.mean = {0.48145466, 0.4578275, 0.40821073}, .std = {0.26862954, 0.26130258, 0.27577711}};
}

void CheckType(const Json& config, PaddleOcrVlProcessorConfig& out) {
  const std::string type = config.GetString("image_processor_type", "PaddleOCRVLImageProcessor");
  if (type == "PaddleOCRVLImageProcessorPil") out.flavour = ResizeFlavour::kPillow;
  // The code published with the checkpoint calls its class after the vision tower it came from.
  if (type.starts_with("PaddleOCRVLImageProcessor") || type == "SiglipImageProcessor") return;
  ConfigError(config, "image_processor_type",
              fmt::format("is '{}'; PaddleOCRVLImageProcessor was expected", type));
}

// At the root, in `size` by edges, or in `size` by pixels; the root wins.
int64_t PixelsOf(const Json& config, const char* key, const char* edge, int64_t otherwise) {
  if (const Json* root = config.Find(key); root != nullptr && !root->is_null()) {
    return BoundedInt(config, key, otherwise, 1, kMostPixels);
  }
  const Json* size = config.Find("size");
  if (size == nullptr || size->is_null()) return otherwise;
  return BoundedInt(*size, size->Has(edge) ? edge : key, otherwise, 1, kMostPixels);
}

PictureSize UprightSize(const Image& image) {
  const bool sideways = image.exif_orientation >= 5;
  return {sideways ? image.width : image.height, sideways ? image.height : image.width};
}

}  // namespace

PaddleOcrVlProcessor::PaddleOcrVlProcessor(PaddleOcrVlProcessorConfig config,
                                           bool limits_are_the_users)
    : config_(std::move(config)),
      limits_are_the_users_(limits_are_the_users),
      values_(RescaleThenNormalize(config_.levels, config_.flavour)) {}

PaddleOcrVlProcessor PaddleOcrVlProcessor::FromFolder(const std::string& folder, int64_t patch_size,
                                                      int64_t merge_size,
                                                      const ProcessorOverrides& overrides) {
  const Json config = ImageProcessorConfig(folder);
  PaddleOcrVlProcessor processor = FromJson(config.is_null() ? Json::Object() : config, overrides);
  const PaddleOcrVlProcessorConfig& found = processor.config_;
  if (found.patch_size != patch_size || found.merge_size != merge_size) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: pictures are cut into patches of {} merged {} by {}, but the model "
                    "expects {} merged {} by {}",
                    folder, found.patch_size, found.merge_size, found.merge_size, patch_size,
                    merge_size, merge_size),
        "patch_size and merge_size of preprocessor_config.json must equal patch_size and "
        "spatial_merge_size of config.json (vision_config)");
  }
  return processor;
}

PaddleOcrVlProcessor PaddleOcrVlProcessor::FromJson(const Json& json,
                                                    const ProcessorOverrides& overrides) {
  PaddleOcrVlProcessorConfig config;
  CheckType(json, config);
  config.patch_size = BoundedInt(json, "patch_size", 14, 1, kLargestPatch);
  config.merge_size = BoundedInt(json, "merge_size", 2, 1, kLargestMerge);
  config.resize = json.GetBool("do_resize", true);
  config.filter = ResizeFilterNumbered(json.GetInt("resample", 3));
  config.flavour = overrides.flavour.value_or(config.flavour);
  config.levels = ParseLevelScaling(json, ClassScaling());
  config.drop_alpha = overrides.drop_alpha;
  config.threads = overrides.threads;
  SmartResizeLimits& limits = config.limits;
  limits.factor = config.patch_size * config.merge_size;
  limits.min_pixels = PixelsOf(json, "min_pixels", "shortest_edge", limits.min_pixels);
  limits.max_pixels = PixelsOf(json, "max_pixels", "longest_edge", limits.max_pixels);
  limits.min_pixels = overrides.min_pixels.value_or(limits.min_pixels);
  limits.max_pixels = overrides.max_pixels.value_or(limits.max_pixels);
  const bool users = overrides.min_pixels || overrides.max_pixels;
  // A user who lowers one limit below the other means both.
  if (overrides.max_pixels && !overrides.min_pixels) {
    limits.min_pixels = std::min(limits.min_pixels, limits.max_pixels);
  }
  if (overrides.min_pixels && !overrides.max_pixels) {
    limits.max_pixels = std::max(limits.max_pixels, limits.min_pixels);
  }
  if (limits.min_pixels > limits.max_pixels) {
    throw Error(users ? ErrorKind::kUsage : ErrorKind::kInput,
                fmt::format("pictures are to have {} pixels at least and {} at most",
                            limits.min_pixels, limits.max_pixels),
                users ? "--min-pixels must not be above --max-pixels"
                      : "min_pixels of preprocessor_config.json must not be above max_pixels");
  }
  return PaddleOcrVlProcessor(std::move(config), users);
}

PaddleOcrVlProcessor PaddleOcrVlProcessor::ForSpotting() const {
  PaddleOcrVlProcessorConfig config = config_;
  config.double_below = kSpottingDoubledBelow;
  if (!limits_are_the_users_) {
    const int64_t pixels = kSpottingTokens * config.limits.factor * config.limits.factor;
    config.limits.max_pixels = std::max(config.limits.max_pixels, pixels);
  }
  return PaddleOcrVlProcessor(std::move(config), limits_are_the_users_);
}

PictureSize PaddleOcrVlProcessor::SizeOf(PictureSize upright) const {
  if (std::max(upright.height, upright.width) < config_.double_below) {
    upright = {2 * upright.height, 2 * upright.width};
  }
  if (config_.resize) return SmartResize(upright, config_.limits);
  const int64_t factor = config_.limits.factor;
  if (upright.height % factor == 0 && upright.width % factor == 0) return upright;
  throw Error(ErrorKind::kInput,
              fmt::format("the picture is {} by {} pixels, and the model takes multiples of {}",
                          upright.height, upright.width, factor),
              "do_resize is false in preprocessor_config.json");
}

OcrGrid PaddleOcrVlProcessor::GridOf(const Image& image) const {
  const PictureSize size = SizeOf(UprightSize(image));
  return {size.height / config_.patch_size, size.width / config_.patch_size, config_.merge_size};
}

Shape PaddleOcrVlProcessor::OutputShape(const Image& image) const {
  return {GridOf(image).patches(), 3, config_.patch_size, config_.patch_size};
}

PictureReport PaddleOcrVlProcessor::Process(const Image& image, std::span<float> out) const {
  // transformers' file loaders turn pictures upright before the processor sees them.
  PictureReport report = BeginReport(image, true);
  const PictureSize size = SizeOf(UprightSize(image));
  const Image* picture = &image;
  Image upright, rgb, doubled, resized;
  if (image.exif_orientation != 1) picture = &(upright = ApplyExifOrientation(image));
  if (picture->mode != ImageMode::kRGB || HasTransparency(*picture)) {
    const bool over_white = HasTransparency(*picture) && !config_.drop_alpha;
    report.steps.push_back(over_white ? "laid over white" : "converted to RGB");
    picture = &(rgb = over_white ? FlattenOntoWhite(*picture) : ConvertToRgb(*picture));
  }
  if (std::max(picture->height, picture->width) < config_.double_below) {
    const ResizeOptions options{ResizeFlavour::kPillow, ResizeFilter::kLanczos, config_.threads};
    const PictureSize from{picture->height, picture->width};
    report.steps.push_back(ResizeStep(from, {2 * from.height, 2 * from.width}, options));
    picture = &(doubled = ResizeChannels(*picture, 2 * from.height, 2 * from.width, options));
  }
  const PictureSize from{picture->height, picture->width};
  const ResizeOptions options{config_.flavour, config_.filter, config_.threads};
  report.steps.push_back(ResizeStep(from, size, options));
  if (from != size)
    picture = &(resized = ResizeChannels(*picture, size.height, size.width, options));
  const double shrunk =
      std::max(static_cast<double>(from.height) / static_cast<double>(size.height),
               static_cast<double>(from.width) / static_cast<double>(size.width));
  if (shrunk > kSmallTextIsLost) {
    report.warnings.push_back(
        fmt::format("shrunk {:.1f} times per side, from {}x{} to {}x{}: small text may be lost "
                    "(--max-pixels allows more, or give parts of the page)",
                    shrunk, from.height, from.width, size.height, size.width));
  }
  WritePatchValues(*picture, out);
  return report;
}

void PaddleOcrVlProcessor::WritePatchValues(const Image& rgb, std::span<float> out) const {
  const int64_t side = config_.patch_size, area = side * side;
  const int64_t columns = rgb.width / side;
  VN_CHECK(static_cast<int64_t>(out.size()) == 3 * rgb.width * rgb.height);
  for (int64_t y = 0; y < rgb.height; ++y) {
    const uint8_t* pixel = rgb.row(y);
    float* row = out.data() + y / side * columns * 3 * area + y % side * side;
    for (int64_t x = 0; x < rgb.width; ++x, pixel += 3) {
      float* to = row + x / side * 3 * area + x % side;
      for (int64_t c = 0; c < 3; ++c) {
        to[c * area] = values_[static_cast<size_t>(c)][pixel[c]];
      }
    }
  }
}

Json PaddleOcrVlProcessor::Describe() const {
  Json json = Json::Object();
  const LevelScaling& levels = config_.levels;
  json["pipeline"] = "paddleocr_vl";
  json["resize"] = config_.resize ? Name(config_.flavour) : "none";
  json["filter"] = Name(config_.filter);
  json["patch_size"] = config_.patch_size;
  json["merge_size"] = config_.merge_size;
  json["min_pixels"] = config_.limits.min_pixels;
  json["max_pixels"] = config_.limits.max_pixels;
  json["alpha"] = config_.drop_alpha ? "drop" : "white";
  json["rescale_factor"] = levels.rescale ? Json(levels.rescale_factor) : Json();
  json["mean"] = levels.normalize ? Json::ArrayOf(levels.mean) : Json();
  json["std"] = levels.normalize ? Json::ArrayOf(levels.std) : Json();
  return json;
}

}  // namespace vernier
