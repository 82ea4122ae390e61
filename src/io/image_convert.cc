#include "io/image_convert.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"

namespace vernier {
namespace {

uint8_t Clip(int64_t value) { return static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255)); }

// a·b / 255, rounded, without a division.
int MultiplyFractions(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

template <typename Sample>
Sample SampleAt(const uint8_t* pixel) {
  Sample value;
  std::memcpy(&value, pixel, sizeof value);
  return value;
}

// Writes what one pixel looks like as RGB.
template <typename Convert>
Image MapToRgb(const Image& source, const Convert& convert) {
  Image rgb = NewImageLike(source, ImageMode::kRGB, source.width, source.height);
  const int step = BytesPerPixel(source.mode);
  const uint8_t* in = source.pixels.data();
  uint8_t* out = rgb.pixels.data();
  for (int64_t i = 0; i < source.width * source.height; ++i, in += step, out += 3) convert(in, out);
  return rgb;
}

void SetGray(uint8_t* out, uint8_t level) { out[0] = out[1] = out[2] = level; }

Image PaletteToRgb(const Image& source) {
  uint8_t colours[256][3] = {};  // indices beyond the palette are black
  std::memcpy(colours, source.palette.data(), std::min(source.palette.size(), sizeof colours));
  return MapToRgb(source,
                  [&](const uint8_t* in, uint8_t* out) { std::memcpy(out, colours[*in], 3); });
}

void InkToLight(const uint8_t* in, uint8_t* out) {
  const int light = 255 - in[3];
  for (int c = 0; c < 3; ++c) out[c] = Clip(light - MultiplyFractions(in[c], light));
}

// Where the pixel at (x, y) of the upright picture lies in the stored one.
struct Source {
  int64_t x, y;
};

Source StoredAt(int orientation, int64_t x, int64_t y, int64_t width, int64_t height) {
  const int64_t right = width - 1 - x, below = height - 1 - y;  // of the upright picture
  switch (orientation) {
    case 2:
      return {right, y};
    case 3:
      return {right, below};
    case 4:
      return {x, below};
    case 5:
      return {y, x};
    case 6:
      return {y, right};
    case 7:
      return {below, right};
    default:
      return {below, x};
  }
}

}  // namespace

Image ApplyExifOrientation(const Image& image) {
  const int orientation = image.exif_orientation;
  if (orientation < 2 || orientation > 8) return CopyOf(image);
  const bool sideways = orientation >= 5;
  Image upright = NewImageLike(image, image.mode, sideways ? image.height : image.width,
                               sideways ? image.width : image.height);
  upright.exif_orientation = 1;
  const auto bytes = static_cast<size_t>(BytesPerPixel(image.mode));
  uint8_t* out = upright.pixels.data();
  for (int64_t y = 0; y < upright.height; ++y)
    for (int64_t x = 0; x < upright.width; ++x, out += bytes) {
      const Source from = StoredAt(orientation, x, y, upright.width, upright.height);
      std::memcpy(out, image.row(from.y) + static_cast<size_t>(from.x) * bytes, bytes);
    }
  return upright;
}

Image ConvertToRgb(const Image& image) {
  switch (image.mode) {
    case ImageMode::kRGB:
      return CopyOf(image);
    case ImageMode::k1:
    case ImageMode::kL:
    case ImageMode::kLA:
      return MapToRgb(image, [](const uint8_t* in, uint8_t* out) { SetGray(out, *in); });
    case ImageMode::kP:
      return PaletteToRgb(image);
    case ImageMode::kRGBA:
      return MapToRgb(image, [](const uint8_t* in, uint8_t* out) { std::memcpy(out, in, 3); });
    case ImageMode::kCMYK:
      return MapToRgb(image, InkToLight);
    case ImageMode::kI16:
      return MapToRgb(image, [](const uint8_t* in, uint8_t* out) {
        SetGray(out, Clip(SampleAt<uint16_t>(in)));
      });
    case ImageMode::kI:
      return MapToRgb(image, [](const uint8_t* in, uint8_t* out) {
        SetGray(out, Clip(SampleAt<int32_t>(in)));
      });
    case ImageMode::kF:
      return MapToRgb(image, [](const uint8_t* in, uint8_t* out) {
        const float level = SampleAt<float>(in);  // NaN counts as black
        SetGray(out, level > 0 ? static_cast<uint8_t>(std::min(level, 255.0F)) : uint8_t{0});
      });
  }
  return CopyOf(image);
}

bool HasTransparency(const Image& image) {
  return image.mode == ImageMode::kLA || image.mode == ImageMode::kRGBA ||
         !image.transparency.empty();
}

Image FlattenOntoWhite(const Image& image) {
  Image rgb = ConvertToRgb(image);
  const std::vector<uint16_t>& key = image.transparency;
  const int step = BytesPerPixel(image.mode);
  const int channels = Channels(image.mode);
  const auto alpha_of = [&](const uint8_t* pixel) -> int {
    if (image.mode == ImageMode::kLA || image.mode == ImageMode::kRGBA) return pixel[channels - 1];
    if (image.mode == ImageMode::kP) return *pixel < key.size() ? key[*pixel] : 255;
    const bool keyed = image.mode == ImageMode::kL || image.mode == ImageMode::kRGB;
    if (!keyed || key.size() != static_cast<size_t>(channels)) return 255;
    return std::equal(key.begin(), key.end(), pixel) ? 0 : 255;
  };
  const uint8_t* from = image.pixels.data();
  uint8_t* to = rgb.pixels.data();
  for (int64_t i = 0; i < image.width * image.height; ++i, from += step, to += 3) {
    const int alpha = alpha_of(from);
    if (alpha == 255) continue;
    for (int c = 0; c < 3; ++c) {
      const int sum = to[c] * alpha + 255 * (255 - alpha);
      to[c] = static_cast<uint8_t>((2 * sum + 255) / 510);
    }
  }
  return rgb;
}

Image Crop(const Image& image, const Rectangle& part) {
  VN_CHECK(part.top >= 0 && part.left >= 0 && part.top + part.height <= image.height &&
           part.left + part.width <= image.width);
  Image cropped = NewImageLike(image, image.mode, part.width, part.height);
  const int bytes = BytesPerPixel(image.mode);
  for (int64_t y = 0; y < part.height; ++y)
    std::memcpy(cropped.row(y), image.row(part.top + y) + part.left * bytes,
                static_cast<size_t>(part.width * bytes));
  return cropped;
}

}  // namespace vernier
