#include "models/blendmask/processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/rounding.h"
#include "io/image_convert.h"
#include "vernier/error.h"

namespace vernier {
namespace {

int64_t Padded(int64_t side) {
  constexpr int64_t kDivisor = BlendMaskConfig::kSizeDivisor;
  return RoundUp(side, kDivisor);
}

bool Sideways(const Image& image) { return image.exif_orientation >= 5; }

PictureSize UprightSize(const Image& image) {
  return Sideways(image) ? PictureSize{image.width, image.height}
                         : PictureSize{image.height, image.width};
}

ValueTable Normalized(const BlendMaskConfig& config) {
  ValueTable table;
  for (size_t c = 0; c < 3; ++c) {
    for (size_t level = 0; level < 256; ++level) {
      table[c][level] = (static_cast<float>(level) - config.pixel_mean[c]) / config.pixel_std[c];
    }
  }
  return table;
}

}  // namespace

PictureSize ShortestEdgeSize(PictureSize from, int64_t shortest, int64_t longest) {
  const auto height = static_cast<double>(from.height), width = static_cast<double>(from.width);
  const double scale = static_cast<double>(shortest) / std::min(height, width);
  double new_height = height < width ? static_cast<double>(shortest) : scale * height;
  double new_width = height < width ? scale * width : static_cast<double>(shortest);
  const double longer = std::max(new_height, new_width);
  if (longer > static_cast<double>(longest)) {
    const double cut = static_cast<double>(longest) / longer;
    new_height *= cut;
    new_width *= cut;
  }
  return {static_cast<int64_t>(new_height + 0.5), static_cast<int64_t>(new_width + 0.5)};
}

BlendMaskProcessor::BlendMaskProcessor(const BlendMaskConfig& config,
                                       const ProcessorOverrides& overrides)
    : config_(config),
      resize_{overrides.flavour.value_or(ResizeFlavour::kPillow), ResizeFilter::kBilinear,
              overrides.threads},
      values_(Normalized(config)) {
  if (overrides.size) {
    config_.fixed_height = overrides.size->height;
    config_.fixed_width = overrides.size->width;
  }
}

PictureSize BlendMaskProcessor::NetworkSize(const Image& image) const {
  if (config_.fixed_size()) return {config_.fixed_height, config_.fixed_width};
  const PictureSize size = ShortestEdgeSize(UprightSize(image), config_.min_size, config_.max_size);
  if (size.height == 0 || size.width == 0) {
    throw Error(ErrorKind::kInput,
                fmt::format("the picture of {}x{} pixels would become {}x{}: a longer side of at "
                            "most {} leaves nothing of the shorter",
                            image.height, image.width, size.height, size.width, config_.max_size),
                "cut the picture into pieces that are less narrow");
  }
  return size;
}

Shape BlendMaskProcessor::OutputShape(const Image& image) const {
  const PictureSize size = NetworkSize(image);
  return {3, Padded(size.height), Padded(size.width)};
}

PictureReport BlendMaskProcessor::Process(const Image& image, std::span<float> out) const {
  PictureReport report = BeginReport(image, true);
  const PictureSize to = NetworkSize(image);
  const Shape shape = OutputShape(image);
  VN_CHECK(std::ssize(out) == shape.elements());
  const Image* picture = &image;
  Image upright, rgb;
  if (image.exif_orientation != 1) picture = &(upright = ApplyExifOrientation(*picture));
  if (picture->mode != ImageMode::kRGB) {
    picture = &(rgb = ConvertToRgb(*picture));
    report.steps.push_back("converted to RGB");
  }
  const PictureSize from{picture->height, picture->width};
  report.steps.push_back(ResizeStep(from, to, resize_));
  const int64_t padded_width = shape[2], plane = shape[1] * padded_width;
  // A row is normalised, its channels parted and put in the model's order while it is in the cache.
  ResizeRows(*picture, to.height, to.width, resize_, [&](int64_t y, const uint8_t* row) {
    for (int64_t c = 0; c < 3; ++c) {
      const auto& values = values_[static_cast<size_t>(c)];
      const uint8_t* level = row + (config_.bgr ? 2 - c : c);
      float* to_row = out.data() + c * plane + y * padded_width;
      for (int64_t x = 0; x < to.width; ++x) to_row[x] = values[level[3 * x]];
      std::fill(to_row + to.width, to_row + padded_width, 0.0F);
    }
  });
  for (int64_t c = 0; c < 3; ++c) {
    float* const channel = out.data() + c * plane;
    std::fill(channel + to.height * padded_width, channel + plane, 0.0F);
  }
  if (shape[1] != to.height || padded_width != to.width) {
    report.steps.push_back(fmt::format("padded to {}x{}", shape[1], padded_width));
  }
  report.network_size = to;
  return report;
}

Json BlendMaskProcessor::Describe() const {
  Json json = Json::Object();
  json["pipeline"] = "blendmask";
  json["resize"] = Name(resize_.flavour);
  json["filter"] = Name(resize_.filter);
  if (config_.fixed_size()) {
    json["size"] = Json::ArrayOf(std::vector{config_.fixed_height, config_.fixed_width});
  } else {
    json["shortest_edge"] = config_.min_size;
    json["longest_edge"] = config_.max_size;
  }
  json["size_divisor"] = BlendMaskConfig::kSizeDivisor;
  json["channels"] = config_.bgr ? "BGR" : "RGB";
  json["mean"] = Json::ArrayOf(config_.pixel_mean);
  json["std"] = Json::ArrayOf(config_.pixel_std);
  json["apply_exif"] = true;
  return json;
}

}  // namespace vernier
