#include "models/vit/processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "io/image_convert.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kConfigName = "preprocessor_config.json";
constexpr const char* kNewConfigName = "processor_config.json";

// Level by level what the reference computes over whole tensors.
ValueTable VitValues(const VitProcessorConfig& config) {
  const bool torch = config.flavour == ResizeFlavour::kTorch8;
  const auto factor = static_cast<float>(config.rescale_factor);
  const auto inverse = static_cast<float>(1.0 / config.rescale_factor);
  ValueTable table;
  for (size_t c = 0; c < 3; ++c) {
    float mean = static_cast<float>(config.mean[c]);
    float std = static_cast<float>(config.std[c]);
    const bool fused = torch && config.rescale && config.normalize;
    if (fused) {
      mean *= inverse;
      std *= inverse;
    }
    for (size_t level = 0; level < 256; ++level) {
      float value = static_cast<float>(level);
      if (config.rescale && !fused)
        value = torch ? value * factor
                      : static_cast<float>(static_cast<double>(level) * config.rescale_factor);
      table[c][level] = config.normalize ? (value - mean) / std : value;
    }
  }
  return table;
}

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

double RescaleFactorOf(const Json& config) {
  const double factor = config.GetNumber("rescale_factor", 1.0 / 255.0);
  if (!(factor > 0.0))
    throw Error(ErrorKind::kInput, fmt::format("{} is {}; a positive number was expected",
                                               config.Where("rescale_factor"), factor));
  return factor;
}

}  // namespace

VitProcessor::VitProcessor(const VitProcessorConfig& config)
    : config_(config), values_(VitValues(config)) {}

VitProcessor VitProcessor::FromFolder(const std::string& folder,
                                      const ProcessorOverrides& overrides) {
  const auto old_path = std::filesystem::path(folder) / kConfigName;
  const auto new_path = std::filesystem::path(folder) / kNewConfigName;
  std::error_code ignored;
  if (!std::filesystem::exists(old_path, ignored) && std::filesystem::exists(new_path, ignored))
    return FromJson(Json::ParseFile(new_path.string()).GetObject("image_processor"), overrides);
  return FromJson(Json::ParseFile(old_path.string()), overrides);
}

VitProcessor VitProcessor::FromJson(const Json& json, const ProcessorOverrides& overrides) {
  VitProcessorConfig config;
  CheckType(json, config);
  config.resize = json.GetBool("do_resize", true);
  config.size = SizeOf(json);
  config.filter = ResizeFilterNumbered(json.GetInt("resample", 2));
  config.convert_rgb = json.GetBool("do_convert_rgb", false) || overrides.convert_rgb;
  config.rescale = json.GetBool("do_rescale", true);
  config.rescale_factor = RescaleFactorOf(json);
  config.normalize = json.GetBool("do_normalize", true);
  config.mean = ThreeChannels(json, "image_mean", config.mean, true);
  config.std = ThreeChannels(json, "image_std", config.std, false);
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
  json["pipeline"] = "vit";
  json["resize"] = config_.resize ? Name(config_.flavour) : "none";
  json["filter"] = Name(config_.filter);
  json["size"] = Json::ArrayOf(std::vector{config_.size.height, config_.size.width});
  json["convert_rgb"] = config_.convert_rgb;
  json["apply_exif"] = config_.apply_exif;
  json["rescale_factor"] = config_.rescale ? Json(config_.rescale_factor) : Json();
  json["mean"] = config_.normalize ? Json::ArrayOf(config_.mean) : Json();
  json["std"] = config_.normalize ? Json::ArrayOf(config_.std) : Json();
  return json;
}

}  // namespace vernier
