// Pictures as their files store them, and the one entrance to all image readers.
// Decoding changes nothing: the mode is the one Pillow would report, colours are not managed, EXIF
// orientation is read but not applied. What a model wants done is its processor's business
// (io/image_convert.h, io/resize.h). An Image owns its pixels; functions here are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vernier {

/// Pixel layouts, named as Pillow names them. Samples are 8-bit, except in the last three.
enum class ImageMode : uint8_t {
  k1,     // black or white, one byte per pixel: 0 or 255
  kL,     // gray
  kLA,    // gray, alpha
  kP,     // index into the palette
  kRGB,   // red, green, blue
  kRGBA,  // red, green, blue, alpha (not premultiplied)
  kCMYK,  // ink: 0 is none
  kI16,   // "I;16": 16-bit unsigned gray in the machine's byte order
  kI,     // 32-bit signed gray
  kF,     // 32-bit float gray
};

const char* Name(ImageMode mode);
int Channels(ImageMode mode);
int BytesPerPixel(ImageMode mode);

enum class ImageFormat : uint8_t { kJpeg, kPng, kWebP, kTiff, kBmp, kPnm, kPdf };

const char* Name(ImageFormat format);

/// Bytes that start uninitialised, so that a hostile header costs address space and not memory.
class PixelBuffer {
 public:
  PixelBuffer() = default;
  explicit PixelBuffer(size_t bytes);

  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t size_ = 0;
};

struct Image {
  ImageMode mode = ImageMode::kRGB;
  int64_t width = 0;
  int64_t height = 0;
  PixelBuffer pixels;                  // [height, width, channels], without gaps
  std::vector<uint8_t> palette;        // [entries, 3] RGB; mode P only
  std::vector<uint16_t> transparency;  // P: alpha of each entry; else the transparent colour
  int exif_orientation = 1;            // 1 to 8, as EXIF counts; 1 is upright
  ImageFormat format = ImageFormat::kPng;
  int frames = 1;                     // pages or animation frames in the file; one was decoded
  std::vector<std::string> warnings;  // what a person should know although decoding went on

  uint8_t* row(int64_t y) { return pixels.data() + y * width * BytesPerPixel(mode); }
  const uint8_t* row(int64_t y) const { return pixels.data() + y * width * BytesPerPixel(mode); }
};

/// Pixels beyond which a picture is taken for a decompression bomb: Pillow's default.
inline constexpr int64_t kDefaultMaxPixels = 2 * 89478485;

struct ImageDecodeOptions {
  int64_t max_pixels = kDefaultMaxPixels;  // more is an error; more than half of it a warning
  int page = 0;                            // of a TIFF file; other formats give their first frame
};

/// An image of `mode` whose pixels are not initialised.
Image NewImage(ImageMode mode, int64_t width, int64_t height);

/// The same with what is known about `source`; a palette stays with its mode.
Image NewImageLike(const Image& source, ImageMode mode, int64_t width, int64_t height);

/// The same picture again; images are otherwise only moved.
Image CopyOf(const Image& source);

/// Throws Error{kInput} for a URL: nothing is ever fetched.
void RefuseUrl(const std::string& path);

/// Pages of a TIFF file, 1 for other formats; `name` stands for the file in messages.
int CountTiffPages(std::span<const uint8_t> bytes, const std::string& name);

/// Reads the file at `path`; the format is decided by content. Throws Error{kInput} that names the
/// file, the format and the fault. URLs are refused: nothing is ever fetched.
Image DecodeImage(const std::string& path, const ImageDecodeOptions& options = {});

/// The same from memory; `name` stands for the path in messages.
Image DecodeImage(std::span<const uint8_t> bytes, const std::string& name,
                  const ImageDecodeOptions& options = {});

}  // namespace vernier
