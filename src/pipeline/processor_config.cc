#include "pipeline/processor_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int64_t kLargestSide = 16384;
constexpr size_t kChannels = 3;

int64_t CheckedSide(const Json& object, std::string_view key) {
  const int64_t side = object.GetInt(key);
  if (side < 1 || side > kLargestSide) {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected 1 to {} pixels, found {}",
                                               object.Where(key), kLargestSide, side));
  }
  return side;
}

// One whole number (files of 2021), {"height", "width"}, or [height, width].
void ReadSize(const Json& config, ImageProcessor& processor) {
  const Json* size = config.Find("size");
  if (size == nullptr || size->is_null()) return;
  if (size->is_object()) {
    processor.height = CheckedSide(*size, "height");
    processor.width = CheckedSide(*size, "width");
  } else if (size->is_array()) {
    const std::vector<int64_t> sides = config.GetInts("size");
    if (sides.size() != 2 || std::ranges::min(sides) < 1 ||
        std::ranges::max(sides) > kLargestSide) {
      throw Error(ErrorKind::kInput, fmt::format("{}: expected [height, width] of 1 to {} pixels",
                                                 config.Where("size"), kLargestSide));
    }
    processor.height = sides[0];
    processor.width = sides[1];
  } else {
    processor.height = processor.width = CheckedSide(config, "size");
  }
}

std::vector<double> ReadPerChannel(const Json& config, std::string_view key,
                                   std::vector<double> otherwise) {
  if (!config.Has(key)) return otherwise;
  std::vector<double> values = config.GetNumbers(key);
  if (values.size() != kChannels) {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected {} numbers, found {}",
                                               config.Where(key), kChannels, values.size()));
  }
  return values;
}

void CheckScale(const Json& config, std::string_view std_key, const ImageProcessor& processor) {
  if (std::ranges::any_of(processor.std, [](double v) { return v == 0; })) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: a deviation of 0 cannot be divided by", config.Where(std_key)));
  }
}

ImageProcessor Encoder(std::string name, FitRule fit, ResizeFilter filter, int64_t height,
                       int64_t width) {
  return {.name = std::move(name),
          .height = height,
          .width = width,
          .fit = fit,
          .rgb = RgbRule::kAfterResize,
          .flavour = ResizeFlavour::kPillow,
          .filter = filter,
          .scale = ScaleRule::kDivide};
}

void CheckCrop(const ImageProcessor& processor) {
  if (processor.fit != FitRule::kCrop || processor.height == processor.width) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("pipeline {}: a centre crop needs a square size, found {}x{}",
                          processor.name, processor.height, processor.width),
              "use a squashing pipeline (--pipeline meta-squash) or a square --size");
}

}  // namespace

const std::vector<std::string>& PipelineNames() {
  static const std::vector<std::string> names = {"meta-squash", "meta-crop", "plm", "timm"};
  return names;
}

ImageProcessor VitProcessor(const Json& config, int64_t height, int64_t width) {
  ImageProcessor processor;
  processor.height = height;
  processor.width = width;
  if (config.is_null()) return processor;
  ReadSize(config, processor);
  processor.resize = config.GetBool("do_resize", true);
  processor.rescale = config.GetBool("do_rescale", true);
  processor.normalize = config.GetBool("do_normalize", true);
  processor.rescale_factor = config.GetNumber("rescale_factor", 1.0 / 255);
  if (!(processor.rescale_factor > 0) || !std::isfinite(1.0 / processor.rescale_factor)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: expected a positive number, found {}",
                            config.Where("rescale_factor"), processor.rescale_factor));
  }
  constexpr int64_t kBilinear = 2;
  processor.filter = ResizeFilterNumbered(config.GetInt("resample", kBilinear));
  processor.mean = ReadPerChannel(config, "image_mean", processor.mean);
  processor.std = ReadPerChannel(config, "image_std", processor.std);
  CheckScale(config, "image_std", processor);
  return processor;
}

ImageProcessor EncoderProcessor(const std::string& pipeline, int64_t height, int64_t width) {
  if (pipeline == "meta-squash") {
    return Encoder(pipeline, FitRule::kSquash, ResizeFilter::kBilinear, height, width);
  }
  if (pipeline == "meta-crop") {
    return Encoder(pipeline, FitRule::kCrop, ResizeFilter::kBilinear, height, width);
  }
  if (pipeline == "plm") {
    return Encoder(pipeline, FitRule::kSquash, ResizeFilter::kBicubic, height, width);
  }
  if (pipeline == "timm") return TimmProcessor(Json(), height, width);
  throw Error(ErrorKind::kUsage, fmt::format("unknown pipeline '{}'", pipeline),
              fmt::format("known: {}", fmt::join(PipelineNames(), ", ")));
}

ImageProcessor TimmProcessor(const Json& pretrained_cfg, int64_t height, int64_t width) {
  ImageProcessor processor = Encoder("timm", FitRule::kCrop, ResizeFilter::kBicubic, height, width);
  processor.rgb = RgbRule::kBeforeResize;
  if (pretrained_cfg.is_null()) return processor;
  processor.filter = ResizeFilterNamed(pretrained_cfg.GetString("interpolation", "bicubic"));
  processor.mean = ReadPerChannel(pretrained_cfg, "mean", processor.mean);
  processor.std = ReadPerChannel(pretrained_cfg, "std", processor.std);
  CheckScale(pretrained_cfg, "std", processor);
  const std::string mode = pretrained_cfg.GetString("crop_mode", "center");
  if (mode != "center" && mode != "squash") {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected center or squash, found '{}'",
                                               pretrained_cfg.Where("crop_mode"), mode));
  }
  if (mode == "squash") processor.fit = FitRule::kSquash;
  if (const double share = pretrained_cfg.GetNumber("crop_pct", 1.0); share != 1.0) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: only 1.0, which the published encoders use, is supported; found {}",
                    pretrained_cfg.Where("crop_pct"), share),
        "choose another pipeline with --pipeline");
  }
  return processor;
}

ImageProcessor WithChoices(ImageProcessor processor, const ProcessorChoices& choices) {
  if (choices.flavour) {
    const bool vit = processor.name == "vit";
    if (!vit && *choices.flavour == ResizeFlavour::kTorch8) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("pipeline {} resizes as Pillow does; torch8 is not defined for it",
                              processor.name),
                  "use --resize pillow or --resize pillow12");
    }
    processor.flavour = *choices.flavour;
    // The two processors of transformers differ in the order of roundings too.
    const bool torchvision = *choices.flavour == ResizeFlavour::kTorch8;
    if (vit) processor.scale = torchvision ? ScaleRule::kFused : ScaleRule::kRescale;
  }
  if (choices.convert_rgb && processor.rgb == RgbRule::kRefuse) {
    processor.rgb = RgbRule::kBeforeResize;
  }
  processor.apply_exif = choices.apply_exif;
  processor.height = choices.height.value_or(processor.height);
  processor.width = choices.width.value_or(processor.width);
  CheckCrop(processor);
  return processor;
}

}  // namespace vernier
