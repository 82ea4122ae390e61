#include "models/pix2struct/processor.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/unicode.h"
#include "io/image_convert.h"
#include "models/config_checks.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int64_t kLargestPatch = 1024;

// Our own key: the file name of the font that questions were drawn with in training. Published
// checkpoints do not have it.
constexpr const char* kHeaderFont = "header_font";

bool IsBlank(const std::string& text) { return std::ranges::all_of(CodePoints(text), IsSpace); }

void CheckType(const Json& config) {
  const std::string type = config.GetString("image_processor_type", "Pix2StructImageProcessor");
  if (!type.starts_with("Pix2StructImageProcessor")) {
    ConfigError(config, "image_processor_type",
                fmt::format("is '{}'; Pix2StructImageProcessor was expected", type));
  }
}

PatchSize PatchOf(const Json& config) {
  const Json* size = config.Find("patch_size");
  if (size == nullptr || size->is_null()) return {};
  return {BoundedInt(*size, "height", 16, 1, kLargestPatch),
          BoundedInt(*size, "width", 16, 1, kLargestPatch)};
}

std::string HeaderFontOf(const Json& config) {
  const std::string name = config.GetString(kHeaderFont, "");
  if (name.find('/') != std::string::npos) {
    ConfigError(config, kHeaderFont,
                fmt::format("is '{}'; the name of a font file was expected", name.substr(0, 80)));
  }
  return name;
}

// The high byte of 16-bit grey.
Image Rescaled16(const Image& image) {
  Image grey = NewImageLike(image, ImageMode::kL, image.width, image.height);
  const auto* from = reinterpret_cast<const uint16_t*>(image.pixels.data());
  for (int64_t i = 0; i < image.width * image.height; ++i) {
    grey.pixels.data()[i] = static_cast<uint8_t>(from[i] >> 8);
  }
  return grey;
}

}  // namespace

Pix2StructProcessor::Pix2StructProcessor(Pix2StructProcessorConfig config,
                                         const Pix2StructLimits& limits)
    : config_(std::move(config)), limits_(limits) {
  if (config_.patch.columns() - 2 != limits.patch_width) {
    throw Error(ErrorKind::kInput,
                fmt::format("patches of {}x{} pixels have {} numbers, but the model's "
                            "patch_embed_hidden_size is {}",
                            config_.patch.height, config_.patch.width, config_.patch.columns() - 2,
                            limits.patch_width),
                "patch_size in preprocessor_config.json must fit config.json");
  }
}

Pix2StructProcessor Pix2StructProcessor::FromFolder(const std::string& folder, bool is_vqa,
                                                    const Pix2StructLimits& limits,
                                                    const ProcessorOverrides& overrides) {
  const Json config = ImageProcessorConfig(folder);
  return FromJson(config.is_null() ? Json::Object() : config, is_vqa, limits, overrides);
}

Pix2StructProcessor Pix2StructProcessor::FromJson(const Json& json, bool is_vqa,
                                                  const Pix2StructLimits& limits,
                                                  const ProcessorOverrides& overrides) {
  CheckType(json);
  Pix2StructProcessorConfig config;
  config.patch = PatchOf(json);
  config.max_patches = BoundedInt(json, "max_patches", 2048, 1, kMaxTokens);
  config.max_patches = overrides.max_patches.value_or(config.max_patches);
  config.normalize = json.GetBool("do_normalize", true);
  config.is_vqa = json.GetBool("is_vqa", is_vqa);
  config.apply_exif = overrides.apply_exif;
  config.rescale_16bit = overrides.rescale_16bit;
  config.allow_empty = overrides.allow_empty;
  const std::string font = HeaderFontOf(json);
  if (config.is_vqa) config.fonts = FindHeaderFonts(overrides.font, font);
  config.max_pixels = overrides.max_image_pixels;
  config.threads = overrides.threads;
  return Pix2StructProcessor(std::move(config), limits);
}

Image Pix2StructProcessor::ToRgb(const Image& image, PictureReport& report) const {
  if (image.mode == ImageMode::kI16) {
    if (config_.rescale_16bit) {
      report.steps.push_back("16-bit grey rescaled to 8 bits");
      return ConvertToRgb(Rescaled16(image));
    }
    report.warnings.push_back(
        "16-bit grey is clipped to 255, as in the reference, which leaves most of it white "
        "(--rescale-16bit takes the high byte)");
  }
  if (HasTransparency(image)) {
    report.steps.push_back("laid over white");
    return FlattenOntoWhite(image);
  }
  if (image.mode != ImageMode::kRGB) report.steps.push_back("converted to RGB");
  return ConvertToRgb(image);
}

Image Pix2StructProcessor::WithHeader(const Image& rgb, const PictureHeader& header,
                                      PictureReport& report) const {
  if (header.image != nullptr) {
    report.steps.push_back(
        fmt::format("under a given header of {}x{}", header.image->height, header.image->width));
    const Image ready = HasTransparency(*header.image) ? FlattenOntoWhite(*header.image)
                                                       : ConvertToRgb(*header.image);
    return ComposeWithHeader(rgb, ready, config_.max_pixels);
  }
  if (!header.question) {
    throw Error(ErrorKind::kInput,
                "this model answers a question about each picture, and none was given",
                "ask it with --prompt \"What is the highest value?\"");
  }
  if (IsBlank(*header.question) && !config_.allow_empty) {
    throw Error(ErrorKind::kInput, "the question is empty",
                "ask one with --prompt, or allow it with --allow-empty: the reference then puts a "
                "white square above the picture");
  }
  HeaderPicture drawn = DrawHeader(*header.question, config_.fonts);
  report.warnings.insert(report.warnings.end(), drawn.warnings.begin(), drawn.warnings.end());
  report.steps.push_back(fmt::format("under its question in {}, {}x{}", drawn.font,
                                     drawn.image.height, drawn.image.width));
  return ComposeWithHeader(rgb, drawn.image, config_.max_pixels);
}

PictureReport Pix2StructProcessor::Process(const Image& image, const PictureHeader& header,
                                           std::span<float> out) const {
  PictureReport report = BeginReport(image, config_.apply_exif);
  const bool turn = config_.apply_exif && image.exif_orientation != 1;
  Image rgb = turn ? ToRgb(ApplyExifOrientation(image), report) : ToRgb(image, report);
  if (config_.is_vqa) {
    rgb = WithHeader(rgb, header, report);
  } else if (header.image != nullptr) {
    throw Error(ErrorKind::kInput, "this model reads no question above its pictures",
                "leave --header-image away");
  }
  const PatchGrid grid = GridOf(rgb.height, rgb.width, config_.max_patches, config_.patch);
  const int64_t largest = std::max(grid.rows, grid.columns);
  if (largest >= limits_.seq_len) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("a picture of {}x{} gets a grid of {}x{} patches from max_patches = {}, "
                    "but the model's position tables (seq_len) end at {}",
                    rgb.height, rgb.width, grid.rows, grid.columns, config_.max_patches,
                    limits_.seq_len - 1),
        fmt::format("use --max-patches {} or fewer, or cut the picture", limits_.seq_len - 1));
  }
  report.steps.push_back(fmt::format(
      "resized {}x{} to {}x{} patches of {}x{}{}", rgb.height, rgb.width, grid.rows, grid.columns,
      config_.patch.height, config_.patch.width, config_.normalize ? ", normalised before" : ""));
  WritePatches(rgb,
               {.patch = config_.patch,
                .grid = grid,
                .normalize = config_.normalize,
                .threads = config_.threads},
               out);
  return report;
}

Json Pix2StructProcessor::Describe() const {
  Json json = Json::Object();
  json["pipeline"] = "pix2struct";
  json["max_patches"] = config_.max_patches;
  json["patch_size"] = Json::ArrayOf(std::vector{config_.patch.height, config_.patch.width});
  json["normalize"] = config_.normalize;
  json["is_vqa"] = config_.is_vqa;
  json["apply_exif"] = config_.apply_exif;
  json["rescale_16bit"] = config_.rescale_16bit;
  return json;
}

Tensor PatchMask(const Tensor& flattened) {
  const int64_t rows = flattened.shape()[0] * flattened.shape()[1], columns = flattened.shape()[2];
  Tensor mask(DType::kF32, {flattened.shape()[0], flattened.shape()[1]});
  for (int64_t row = 0; row < rows; ++row) {
    const float id = flattened.as<float>()[static_cast<size_t>(row * columns)];
    mask.as<float>()[static_cast<size_t>(row)] = id == 0.0f ? 0.0f : 1.0f;
  }
  return mask;
}

}  // namespace vernier
