#include "pipeline/image_processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "io/image_convert.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int kChannels = 3;
constexpr int kLevels = 256;

const char* Text(RgbRule rule) {
  switch (rule) {
    case RgbRule::kRefuse:
      return "RGB only";
    case RgbRule::kBeforeResize:
      return "RGB before resize";
    case RgbRule::kAfterResize:
      return "RGB after resize";
  }
  return "";
}

struct Size {
  int64_t height;
  int64_t width;
};

// torchvision's rule for one wanted length: the shorter side gets it, the longer one is truncated.
Size ShorterSideTo(const Image& image, int64_t length) {
  if (image.height <= image.width) return {length, length * image.width / image.height};
  return {length * image.height / image.width, length};
}

// Python's round(x / 2): halves go to the even neighbour.
int64_t HalfToEven(int64_t x) { return (x + (x >> 1 & 1)) >> 1; }

Image CropCentre(const Image& image, int64_t height, int64_t width) {
  const int64_t top = HalfToEven(image.height - height);
  const int64_t left = HalfToEven(image.width - width);
  Image cropped = NewImageLike(image, image.mode, width, height);
  const int64_t pixel_bytes = BytesPerPixel(image.mode);
  for (int64_t y = 0; y < height; ++y) {
    std::memcpy(cropped.row(y), image.row(top + y) + left * pixel_bytes,
                static_cast<size_t>(width * pixel_bytes));
  }
  return cropped;
}

void RefuseOtherModes(const Image& image, const std::string& name) {
  if (image.mode == ImageMode::kRGB) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: expected an RGB picture, found mode {}", name, Name(image.mode)),
              "the published processor converts nothing; --convert-rgb does");
}

Image Resized(const Image& image, const ImageProcessor& processor) {
  const Size size = processor.fit == FitRule::kSquash
                        ? Size{processor.height, processor.width}
                        : ShorterSideTo(image, std::min(processor.height, processor.width));
  const ResizeOptions options = {
      .flavour = processor.flavour, .filter = processor.filter, .threads = processor.threads};
  return processor.rgb == RgbRule::kAfterResize
             ? ResizeInMode(image, size.height, size.width, options)
             : ResizeChannels(image, size.height, size.width, options);
}

using LevelTable = std::array<float, kLevels>;

// 256 levels per channel are all that an 8-bit picture can become, so each is computed once, in the
// reference's own order of roundings.
LevelTable Levels(const ImageProcessor& processor, size_t channel) {
  const float mean = static_cast<float>(processor.mean[channel]);
  const float deviation = static_cast<float>(processor.std[channel]);
  const float inverse_factor = static_cast<float>(1.0 / processor.rescale_factor);
  LevelTable table;
  for (int level = 0; level < kLevels; ++level) {
    float value = static_cast<float>(level);
    if (processor.scale == ScaleRule::kFused && processor.rescale && processor.normalize) {
      table[static_cast<size_t>(level)] =
          (value - mean * inverse_factor) / (deviation * inverse_factor);
      continue;
    }
    if (processor.rescale) {
      switch (processor.scale) {
        case ScaleRule::kFused:
          value *= static_cast<float>(processor.rescale_factor);
          break;
        case ScaleRule::kRescale:
          value = static_cast<float>(level * processor.rescale_factor);
          break;
        case ScaleRule::kDivide:
          value /= 255.0f;
          break;
      }
    }
    if (processor.normalize) value = (value - mean) / deviation;
    table[static_cast<size_t>(level)] = value;
  }
  return table;
}

}  // namespace

std::string ImageProcessor::Describe() const {
  const std::string size =
      resize ? fmt::format("{} ({}) to {}x{}{}", Name(filter), Name(flavour), height, width,
                           fit == FitRule::kCrop ? " with centre crop" : "")
             : "no resize";
  return fmt::format("{}: {}, {}{}", name, size, Text(rgb),
                     apply_exif ? ", EXIF orientation applied" : "");
}

Image ResizedPixels(Image image, const ImageProcessor& processor, const std::string& name) {
  if (processor.apply_exif) image = ApplyExifOrientation(std::move(image));
  if (processor.rgb == RgbRule::kRefuse) RefuseOtherModes(image, name);
  if (processor.rgb == RgbRule::kBeforeResize) image = ConvertToRgb(std::move(image));
  if (processor.resize) image = Resized(image, processor);
  if (processor.fit == FitRule::kCrop) image = CropCentre(image, processor.height, processor.width);
  if (processor.rgb == RgbRule::kAfterResize) image = ConvertToRgb(std::move(image));
  return image;
}

void ScalePixels(const Image& pixels, const ImageProcessor& processor, float* into) {
  VN_CHECK(pixels.mode == ImageMode::kRGB && processor.mean.size() == kChannels &&
           processor.std.size() == kChannels);
  const int64_t area = pixels.height * pixels.width;
  for (int channel = 0; channel < kChannels; ++channel) {
    const LevelTable table = Levels(processor, static_cast<size_t>(channel));
    const uint8_t* source = pixels.row(0) + channel;
    float* plane = into + channel * area;
    for (int64_t i = 0; i < area; ++i) plane[i] = table[source[i * kChannels]];
  }
}

Tensor PixelValues(Image image, const ImageProcessor& processor, const std::string& name) {
  const Image pixels = ResizedPixels(std::move(image), processor, name);
  Tensor values(DType::kF32, {kChannels, pixels.height, pixels.width});
  ScalePixels(pixels, processor, values.as<float>().data());
  return values;
}

}  // namespace vernier
