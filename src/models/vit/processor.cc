#include "models/vit/processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "io/image_convert.h"
#include "vernier/error.h"

namespace vernier {
namespace {

void CheckType(const Json& config, VitProcessorConfig& out) {
  for (const char* key : {"image_processor_type", "feature_extractor_type"}) {
    const std::string type = config.GetString(key, "");
    if (type == "ViTImageProcessorPil") out.flavour = ResizeFlavour::kPillow;
    if (type.empty() || type.starts_with("ViTImageProcessor") || type == "ViTFeatureExtractor")
      continue;
    throw Error(ErrorKind::kInput,
                fmt::format("{} is '{}'; ViTImageProcessor or ViTFeatureExtractor was expected",
                            config.Where(key), type));
  }
  if (config.GetBool("do_center_crop", false))
    throw Error(ErrorKind::kInput,
                config.Where("do_center_crop") + " is true; a ViT processor never crops");
}

// {"height": …, "width": …}, or one number for both as in files of 2021.
PictureSize SizeOf(const Json& config) {
  const Json* size = config.Find("size");
  if (size == nullptr) return {224, 224};
  if (!size->is_object()) {
    const int64_t side = CheckedSide(config.GetInt("size"), config.Where("size"));
    return {side, side};
  }
  if (size->Has("shortest_edge"))
    throw Error(ErrorKind::kInput, size->Where("shortest_edge") +
                                       " is given; ViT is resized to a fixed height and width");
  return {CheckedSide(size->GetInt("height"), size->Where("height")),
          CheckedSide(size->GetInt("width"), size->Where("width"))};
}

}  // namespace

VitProcessor::VitProcessor(const VitProcessorConfig& config)
    : config_(config), values_(RescaleThenNormalize(config.levels, config.flavour)) {}

VitProcessor VitProcessor::FromFolder(const std::string& folder,
                                      const ProcessorOverrides& overrides) {
  const Json config = ImageProcessorConfig(folder);
  if (config.is_null()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: there is neither preprocessor_config.json nor "
                            "processor_config.json, so nobody knows how pictures are prepared",
                            folder),
                "copy the file into the folder from where the checkpoint was published");
  }
  return FromJson(config, overrides);
}

VitProcessor VitProcessor::FromJson(const Json& json, const ProcessorOverrides& overrides) {
  VitProcessorConfig config;
  CheckType(json, config);
  config.resize = json.GetBool("do_resize", true);
  config.size = SizeOf(json);
  config.filter = ResizeFilterNumbered(json.GetInt("resample", 2));
  config.convert_rgb = json.GetBool("do_convert_rgb", false) || overrides.convert_rgb;
  config.levels = ParseLevelScaling(json, config.levels);
  config.flavour = overrides.flavour.value_or(config.flavour);
  config.size = overrides.size.value_or(config.size);
  config.resize = config.resize || overrides.size.has_value();
  config.apply_exif = overrides.apply_exif;
  config.threads = overrides.threads;
  return VitProcessor(config);
}

Shape VitProcessor::OutputShape(const Image& image) const {
  if (config_.resize) return {3, config_.size.height, config_.size.width};
  const bool sideways = config_.apply_exif && image.exif_orientation >= 5;
  return {3, sideways ? image.width : image.height, sideways ? image.height : image.width};
}

PictureReport VitProcessor::Process(const Image& image, std::span<float> out) const {
  PictureReport report = BeginReport(image, config_.apply_exif);
  const Image* picture = &image;
  Image upright, rgb, resized;
  if (config_.apply_exif && image.exif_orientation != 1)
    picture = &(upright = ApplyExifOrientation(*picture));
  if (picture->mode != ImageMode::kRGB) {
    if (!config_.convert_rgb)
      throw Error(ErrorKind::kInput,
                  fmt::format("the picture's mode is {} ({} channels per pixel); ViT's processor "
                              "takes RGB only, and so does the reference",
                              Name(picture->mode), Channels(picture->mode)),
                  "give --convert-rgb to convert it");
    picture = &(rgb = ConvertToRgb(*picture));
    report.steps.push_back("converted to RGB");
  }
  if (config_.resize) {
    const ResizeOptions options{config_.flavour, config_.filter, config_.threads};
    report.steps.push_back(ResizeStep({picture->height, picture->width}, config_.size, options));
    if (PictureSize{picture->height, picture->width} != config_.size)
      picture =
          &(resized = ResizeChannels(*picture, config_.size.height, config_.size.width, options));
  }
  WritePixelValues(*picture, values_, out);
  return report;
}

Json VitProcessor::Describe() const {
  Json json = Json::Object();
  const LevelScaling& levels = config_.levels;
  json["pipeline"] = "vit";
  json["resize"] = config_.resize ? Name(config_.flavour) : "none";
  json["filter"] = Name(config_.filter);
  json["size"] = Json::ArrayOf(std::vector{config_.size.height, config_.size.width});
  json["convert_rgb"] = config_.convert_rgb;
  json["apply_exif"] = config_.apply_exif;
  json["rescale_factor"] = levels.rescale ? Json(levels.rescale_factor) : Json();
  json["mean"] = levels.normalize ? Json::ArrayOf(levels.mean) : Json();
  json["std"] = levels.normalize ? Json::ArrayOf(levels.std) : Json();
  return json;
}

}  // namespace vernier
