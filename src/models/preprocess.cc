#include "models/preprocess.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "core/check.h"
#include "models/config_checks.h"
#include "vernier/error.h"

namespace vernier {

Json PictureReport::ToJson() const {
  Json json = Json::Object();
  json["mode"] = mode;
  json["height"] = size.height;
  json["width"] = size.width;
  json["exif_orientation"] = exif_orientation;
  json["steps"] = Json::ArrayOf(steps);
  return json;
}

PictureReport BeginReport(const Image& image, bool apply_exif) {
  PictureReport report{.mode = Name(image.mode),
                       .size = {image.height, image.width},
                       .exif_orientation = image.exif_orientation,
                       .steps = {},
                       .warnings = image.warnings};
  if (image.exif_orientation == 1) return report;
  if (apply_exif)
    report.steps.push_back(fmt::format("turned upright (EXIF {})", image.exif_orientation));
  else
    report.warnings.push_back(
        fmt::format("EXIF orientation {} is not applied, as in the reference (--apply-exif does)",
                    image.exif_orientation));
  return report;
}

std::string ResizeStep(PictureSize from, PictureSize to, const ResizeOptions& options) {
  if (from == to) return fmt::format("not resized ({}x{} already)", to.height, to.width);
  const bool height_first =
      HeightFirst(options.flavour, from.height, from.width, to.height, to.width);
  return fmt::format("resized {}x{} to {}x{} ({}, {}, {} first)", from.height, from.width,
                     to.height, to.width, Name(options.flavour), Name(options.filter),
                     height_first ? "height" : "width");
}

ValueTable TensorThenNormalize(std::span<const double, 3> mean, std::span<const double, 3> std) {
  ValueTable table;
  for (size_t c = 0; c < 3; ++c)
    for (size_t level = 0; level < 256; ++level)
      table[c][level] = (static_cast<float>(level) / 255.0F - static_cast<float>(mean[c])) /
                        static_cast<float>(std[c]);
  return table;
}

Json ImageProcessorConfig(const std::string& folder) {
  namespace fs = std::filesystem;
  const fs::path own = fs::path(folder) / "preprocessor_config.json";
  const fs::path joint = fs::path(folder) / "processor_config.json";
  std::error_code ignored;
  if (fs::exists(own, ignored)) return Json::ParseFile(own.string());
  if (fs::exists(joint, ignored))
    return Json::ParseFile(joint.string()).GetObject("image_processor");
  return {};
}

LevelScaling ParseLevelScaling(const Json& config, const LevelScaling& otherwise) {
  LevelScaling scaling = otherwise;
  scaling.rescale = config.GetBool("do_rescale", otherwise.rescale);
  scaling.rescale_factor = config.GetNumber("rescale_factor", otherwise.rescale_factor);
  if (!(scaling.rescale_factor > 0.0))
    throw Error(ErrorKind::kInput,
                fmt::format("{} is {}; a positive number was expected",
                            config.Where("rescale_factor"), scaling.rescale_factor));
  scaling.normalize = config.GetBool("do_normalize", otherwise.normalize);
  scaling.mean = ThreeChannels(config, "image_mean", otherwise.mean, true);
  scaling.std = ThreeChannels(config, "image_std", otherwise.std, false);
  return scaling;
}

ValueTable RescaleThenNormalize(const LevelScaling& scaling, ResizeFlavour flavour) {
  const bool torch = flavour == ResizeFlavour::kTorch8;
  const auto factor = static_cast<float>(scaling.rescale_factor);
  const auto inverse = static_cast<float>(1.0 / scaling.rescale_factor);
  ValueTable table;
  for (size_t c = 0; c < 3; ++c) {
    float mean = static_cast<float>(scaling.mean[c]);
    float std = static_cast<float>(scaling.std[c]);
    const bool fused = torch && scaling.rescale && scaling.normalize;
    if (fused) {
      mean *= inverse;
      std *= inverse;
    }
    for (size_t level = 0; level < 256; ++level) {
      float value = static_cast<float>(level);
      if (scaling.rescale && !fused)
        value = torch ? value * factor
                      : static_cast<float>(static_cast<double>(level) * scaling.rescale_factor);
      table[c][level] = scaling.normalize ? (value - mean) / std : value;
    }
  }
  return table;
}

void WritePixelValues(const Image& rgb, const ValueTable& table, std::span<float> out) {
  VN_CHECK(rgb.mode == ImageMode::kRGB);
  const auto plane = static_cast<size_t>(rgb.height * rgb.width);
  VN_CHECK(out.size() == 3 * plane);
  const uint8_t* pixel = rgb.pixels.data();
  for (size_t i = 0; i < plane; ++i, pixel += 3)
    for (size_t c = 0; c < 3; ++c) out[c * plane + i] = table[c][pixel[c]];
}

int64_t CheckedSide(int64_t value, const std::string& where) {
  if (value < 1 || value > kMaxImageSide)
    throw Error(ErrorKind::kInput, fmt::format("{} is {}; a side of 1 to {} pixels was expected",
                                               where, value, kMaxImageSide));
  return value;
}

std::array<double, 3> ThreeChannels(const Json& config, std::string_view key,
                                    std::array<double, 3> otherwise, bool may_be_zero) {
  if (config.Find(key) == nullptr) return otherwise;
  const std::vector<double> values = config.GetNumbers(key);
  if (values.size() != 3)
    throw Error(ErrorKind::kInput, fmt::format("{} has {} entries; 3 were expected (red, green, "
                                               "blue)",
                                               config.Where(key), values.size()));
  for (const double value : values)
    if (value == 0.0 && !may_be_zero)
      throw Error(ErrorKind::kInput, fmt::format("{} has a zero, by which pixels cannot be divided",
                                                 config.Where(key)));
  return {values[0], values[1], values[2]};
}

}  // namespace vernier
