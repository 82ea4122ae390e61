// What a processor may do to a decoded picture before resizing: turn it upright, make it RGB.
// The arithmetic is Pillow's, so that results agree with pipelines written in Python. Pure.
#pragma once

#include <cstdint>

#include "io/image.h"

namespace vernier {

/// The picture as its EXIF orientation says it should be seen; the orientation becomes 1.
Image ApplyExifOrientation(const Image& image);

/// Three 8-bit channels from any mode: alpha is dropped (not composited), palettes are looked up,
/// 16- and 32-bit gray is clipped (not scaled) to 0..255, ink becomes light.
Image ConvertToRgb(const Image& image);

/// Whether any pixel may be less than opaque: an alpha channel, or a transparent colour or entry.
bool HasTransparency(const Image& image);

/// As ConvertToRgb, but what is transparent lets opaque white through, rounded to nearest (Pillow's
/// Image.alpha_composite).
Image FlattenOntoWhite(const Image& image);

struct Rectangle {
  int64_t top, left, height, width;
};

/// The part of the picture inside `part`, which must lie within it.
Image Crop(const Image& image, const Rectangle& part);

}  // namespace vernier
