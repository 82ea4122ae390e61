#include "models/pe/processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "io/image_convert.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kPipelineNames[] = {"meta-squash", "meta-crop", "timm"};
constexpr double kTimmDefaultCropPct = 0.875;

PePipeline PipelineNamed(const std::string& name, const std::string& where) {
  for (size_t i = 0; i < std::size(kPipelineNames); ++i)
    if (name == kPipelineNames[i]) return static_cast<PePipeline>(i);
  throw Error(ErrorKind::kInput, fmt::format("{}: unknown pipeline '{}'", where, name),
              fmt::format("known are {}", fmt::join(kPipelineNames, ", ")));
}

bool IsSquash(const Json& json) {
  const std::string mode = json.GetString("crop_mode", "center");
  if (mode == "squash") return true;
  if (mode == "center") return false;
  throw Error(ErrorKind::kInput,
              fmt::format("{} '{}' is not supported", json.Where("crop_mode"), mode),
              "supported are center and squash");
}

double CropPctOf(const Json& json, double otherwise) {
  const double share = json.GetNumber("crop_pct", otherwise);
  if (!(share > 0.0 && share <= 1.0))
    throw Error(ErrorKind::kInput, fmt::format("{} is {}; a share above 0 and up to 1 was expected",
                                               json.Where("crop_pct"), share));
  return share;
}

PictureSize SizeOf(const Json& json, std::string_view key, size_t skip) {
  const auto numbers = json.GetInts(key);
  if (numbers.size() != skip + 2)
    throw Error(ErrorKind::kInput,
                fmt::format("{} has {} numbers; {}height and width were expected", json.Where(key),
                            numbers.size(), skip > 0 ? "channels, " : ""));
  return {CheckedSide(numbers[skip], json.Where(key)),
          CheckedSide(numbers[skip + 1], json.Where(key))};
}

PeProcessorConfig FromOwnFormat(const Json& json, const PeCheckpointFacts& facts) {
  PeProcessorConfig config{.size = {facts.image_size, facts.image_size}};
  if (!json.Has("pipeline"))
    throw Error(ErrorKind::kInput,
                json.Where("pipeline") + " is missing; it decides how pictures are resized",
                fmt::format("write one of {} there", fmt::join(kPipelineNames, ", ")));
  config.pipeline = PipelineNamed(json.GetString("pipeline"), json.Where("pipeline"));
  if (json.Has("size")) config.size = SizeOf(json, "size", 0);
  if (config.pipeline != PePipeline::kTimm) return config;
  config.filter = ResizeFilterNamed(json.GetString("interpolation", "bicubic"));
  config.crop_pct = CropPctOf(json, 1.0);
  config.squash = IsSquash(json);
  return config;
}

// timm's own record of how a checkpoint was evaluated, with timm's defaults.
PeProcessorConfig FromPretrainedCfg(const Json& json, const PeCheckpointFacts& facts) {
  PeProcessorConfig config{.pipeline = PePipeline::kTimm,
                           .size = {facts.image_size, facts.image_size}};
  if (json.Has("input_size")) config.size = SizeOf(json, "input_size", 1);
  config.filter = ResizeFilterNamed(json.GetString("interpolation", "bicubic"));
  config.crop_pct = CropPctOf(json, kTimmDefaultCropPct);
  config.squash = IsSquash(json);
  config.mean = ThreeChannels(json, "mean", config.mean, true);
  config.std = ThreeChannels(json, "std", config.std, false);
  return config;
}

PeProcessorConfig TimmDefaults(const PeCheckpointFacts& facts) {
  return {.pipeline = PePipeline::kTimm,
          .size = {facts.image_size, facts.image_size},
          .filter = ResizeFilter::kBicubic};
}

PeProcessorConfig ReadConfig(const std::string& folder, const PeCheckpointFacts& facts) {
  const auto own = std::filesystem::path(folder) / "preprocessor_config.json";
  const auto timm = std::filesystem::path(folder) / "config.json";
  std::error_code ignored;
  if (std::filesystem::exists(own, ignored))
    return FromOwnFormat(Json::ParseFile(own.string()), facts);
  if (!facts.timm_layout) return {.size = {facts.image_size, facts.image_size}};
  if (!std::filesystem::exists(timm, ignored)) return TimmDefaults(facts);
  const Json json = Json::ParseFile(timm.string());
  return json.Has("pretrained_cfg") ? FromPretrainedCfg(json.GetObject("pretrained_cfg"), facts)
                                    : TimmDefaults(facts);
}

// A pipeline chosen by the user replaces what belongs to the checkpoint's pipeline.
void ChoosePipeline(const std::string& name, PeProcessorConfig& config) {
  const PePipeline pipeline = PipelineNamed(name, "--pipeline");
  if (pipeline == config.pipeline) return;
  config.pipeline = pipeline;
  config.filter = pipeline == PePipeline::kTimm ? ResizeFilter::kBicubic : ResizeFilter::kBilinear;
  config.crop_pct = 1.0;
  config.squash = false;
}

void CheckConsistent(const PeProcessorConfig& config) {
  if (config.pipeline == PePipeline::kMetaCrop && config.size.height != config.size.width)
    throw Error(ErrorKind::kInput,
                fmt::format("pipeline meta-crop gives squares; the size is {}x{}",
                            config.size.height, config.size.width),
                "use meta-squash or timm for other shapes");
}

int64_t Scaled(int64_t side, double share) {
  return static_cast<int64_t>(std::floor(static_cast<double>(side) / share));
}

// The shorter side becomes `side`; the longer one follows, rounded down.
PictureSize ShorterSideTo(int64_t side, const Image& image) {
  const int64_t shorter = std::min(image.height, image.width);
  const int64_t longer =
      static_cast<int64_t>(static_cast<double>(side * std::max(image.height, image.width)) /
                           static_cast<double>(shorter));
  return image.width <= image.height ? PictureSize{longer, side} : PictureSize{side, longer};
}

// The least enlargement that covers `target`, each side rounded half to even.
PictureSize CoverTarget(PictureSize target, const Image& image) {
  const auto height = static_cast<double>(image.height), width = static_cast<double>(image.width);
  const double ratio = std::min(height / static_cast<double>(target.height),
                                width / static_cast<double>(target.width));
  return {static_cast<int64_t>(std::nearbyint(height / ratio)),
          static_cast<int64_t>(std::nearbyint(width / ratio))};
}

PictureSize ResizedSize(const PeProcessorConfig& config, const Image& image) {
  if (config.pipeline == PePipeline::kMetaSquash) return config.size;
  if (config.pipeline == PePipeline::kMetaCrop) return ShorterSideTo(config.size.height, image);
  const PictureSize scaled{Scaled(config.size.height, config.crop_pct),
                           Scaled(config.size.width, config.crop_pct)};
  if (config.squash) return scaled;
  return scaled.height == scaled.width ? ShorterSideTo(scaled.height, image)
                                       : CoverTarget(scaled, image);
}

// A strip one pixel high would become millions of pixels long.
void CheckResizedSize(PictureSize to, const Image& image) {
  if (to.width <= kDefaultMaxPixels / to.height) return;
  throw Error(ErrorKind::kInput,
              fmt::format("a {}x{} picture would become {}x{} when its shorter side is resized",
                          image.height, image.width, to.height, to.width),
              "use --pipeline meta-squash, which ignores the aspect ratio");
}

Image CropCentre(const Image& image, PictureSize size) {
  const auto offset = [](int64_t whole, int64_t part) {
    return static_cast<int64_t>(std::nearbyint(static_cast<double>(whole - part) / 2.0));
  };
  return Crop(image, {.top = offset(image.height, size.height),
                      .left = offset(image.width, size.width),
                      .height = size.height,
                      .width = size.width});
}

}  // namespace

const char* Name(PePipeline pipeline) { return kPipelineNames[static_cast<size_t>(pipeline)]; }

PeProcessor::PeProcessor(const PeProcessorConfig& config)
    : config_(config), values_(TensorThenNormalize(config.mean, config.std)) {
  CheckConsistent(config);
}

PeProcessor PeProcessor::FromFolder(const std::string& folder, const PeCheckpointFacts& facts,
                                    const ProcessorOverrides& overrides) {
  PeProcessorConfig config = ReadConfig(folder, facts);
  if (overrides.pipeline) ChoosePipeline(*overrides.pipeline, config);
  config.flavour = overrides.flavour.value_or(config.flavour);
  config.size = overrides.size.value_or(config.size);
  config.apply_exif = overrides.apply_exif;
  config.threads = overrides.threads;
  return PeProcessor(config);
}

PictureReport PeProcessor::Process(const Image& image, std::span<float> out) const {
  PictureReport report = BeginReport(image, config_.apply_exif);
  Image upright, picture;
  const Image* source = &image;
  if (config_.apply_exif && image.exif_orientation != 1)
    source = &(upright = ApplyExifOrientation(image));
  if (config_.pipeline == PePipeline::kTimm && source->mode != ImageMode::kRGB) {
    report.steps.push_back("converted to RGB");
    source = &(upright = ConvertToRgb(*source));
  }
  const PictureSize resized = ResizedSize(config_, *source);
  CheckResizedSize(resized, *source);
  const ResizeOptions options{config_.flavour, config_.filter, config_.threads};
  report.steps.push_back(ResizeStep({source->height, source->width}, resized, options));
  picture = ResizeInMode(*source, resized.height, resized.width, options);
  if (resized != config_.size) {
    report.steps.push_back(
        fmt::format("cropped to {}x{} at the centre", config_.size.height, config_.size.width));
    picture = CropCentre(picture, config_.size);
  }
  if (picture.mode != ImageMode::kRGB) {
    report.steps.push_back("converted to RGB");
    picture = ConvertToRgb(picture);
  }
  WritePixelValues(picture, values_, out);
  return report;
}

Json PeProcessor::Describe() const {
  Json json = Json::Object();
  json["pipeline"] = Name(config_.pipeline);
  json["resize"] = Name(config_.flavour);
  json["filter"] = Name(config_.filter);
  json["size"] = Json::ArrayOf(std::vector{config_.size.height, config_.size.width});
  json["order"] = config_.pipeline == PePipeline::kTimm ? "RGB, then resize" : "resize, then RGB";
  if (config_.pipeline == PePipeline::kTimm) {
    json["crop_pct"] = config_.crop_pct;
    json["crop_mode"] = config_.squash ? "squash" : "center";
  }
  json["apply_exif"] = config_.apply_exif;
  json["mean"] = Json::ArrayOf(config_.mean);
  json["std"] = Json::ArrayOf(config_.std);
  return json;
}

}  // namespace vernier
