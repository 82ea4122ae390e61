// What the readers of single formats share; only image*.cc include it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "io/image.h"

namespace vernier {

/// A file's bytes on the way to its decoder. Borrows everything.
struct EncodedImage {
  std::string_view name;
  std::span<const uint8_t> bytes;
  const ImageDecodeOptions& options;
};

Image DecodeJpeg(const EncodedImage& file);
Image DecodePng(const EncodedImage& file);
Image DecodeWebP(const EncodedImage& file);
Image DecodeTiff(const EncodedImage& file);
int CountTiffDirectories(const EncodedImage& file);
Image DecodeBmp(const EncodedImage& file);
Image DecodePnm(const EncodedImage& file);

/// Throws Error{kInput} "NAME: FORMAT: what".
[[noreturn]] void RefuseImage(const EncodedImage& file, ImageFormat format, std::string_view what,
                              std::string_view hint = "");

/// Refuses a header that says no pixels at all or more than the limit.
void CheckDimensions(const EncodedImage& file, ImageFormat format, int64_t width, int64_t height);

/// A new image of checked dimensions; every decoder's only way to memory for pixels.
Image NewDecodedImage(const EncodedImage& file, ImageFormat format, ImageMode mode, int64_t width,
                      int64_t height);

/// Orientation from an EXIF block (with or without "Exif\0\0" in front), else from an XMP packet,
/// else 1. Damaged metadata counts as none.
int ReadOrientation(std::span<const uint8_t> exif, std::string_view xmp);

}  // namespace vernier
