#include "io/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "core/check.h"
#include "io/image_codecs.h"
#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

bool StartsWith(std::span<const uint8_t> bytes, std::string_view magic, size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

bool LooksLikeText(std::span<const uint8_t> bytes) {
  const auto head = bytes.first(std::min<size_t>(bytes.size(), 512));
  return std::all_of(head.begin(), head.end(), [](uint8_t c) {
    return (c >= 0x20 && c != 0x7F) || c == '\n' || c == '\r' || c == '\t';
  });
}

// What a file is that no reader here takes, in words for a person.
std::string DescribeForeign(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return "the file is empty";
  if (StartsWith(bytes, "version https://git-lfs"))
    return "it is a Git LFS pointer; the picture itself was not downloaded (git lfs pull)";
  if (StartsWith(bytes, "GIF8")) return "it is a GIF file";
  if (StartsWith(bytes, "%PDF")) return "it is a PDF file";
  if (StartsWith(bytes, "ftypheic", 4) || StartsWith(bytes, "ftypmif1", 4))
    return "it is a HEIF file";
  if (StartsWith(bytes, "ftypavif", 4)) return "it is an AVIF file";
  if (StartsWith(bytes, std::string_view("\0\0\0\x0CjP  ", 8))) return "it is a JPEG 2000 file";
  if (StartsWith(bytes, "<!DOCTYPE") || StartsWith(bytes, "<html") || StartsWith(bytes, "<HTML"))
    return "it is an HTML page, as a failed download leaves behind";
  if (LooksLikeText(bytes)) return "it is a text file";
  return "its first bytes are of no image format known here";
}

// Little- or big-endian, classic or BigTIFF.
bool IsTiff(std::span<const uint8_t> bytes) {
  for (const std::string_view magic : {"II*\0", "MM\0*", "II+\0", "MM\0+"})
    if (StartsWith(bytes, std::string_view(magic.data(), 4))) return true;
  return false;
}

bool IsPnm(std::span<const uint8_t> bytes) {
  static constexpr std::string_view kKinds = "123456f";
  return bytes.size() >= 3 && bytes[0] == 'P' &&
         kKinds.find(static_cast<char>(bytes[1])) != std::string_view::npos &&
         (bytes[2] == '#' || bytes[2] == ' ' || (bytes[2] >= '\t' && bytes[2] <= '\r'));
}

}  // namespace

const char* Name(ImageMode mode) {
  static constexpr const char* kNames[] = {"1",    "L",    "LA",   "P", "RGB",
                                           "RGBA", "CMYK", "I;16", "I", "F"};
  return kNames[static_cast<size_t>(mode)];
}

int Channels(ImageMode mode) {
  static constexpr int kChannels[] = {1, 1, 2, 1, 3, 4, 4, 1, 1, 1};
  return kChannels[static_cast<size_t>(mode)];
}

int BytesPerPixel(ImageMode mode) {
  if (mode == ImageMode::kI16) return 2;
  if (mode == ImageMode::kI || mode == ImageMode::kF) return 4;
  return Channels(mode);
}

const char* Name(ImageFormat format) {
  static constexpr const char* kNames[] = {"JPEG", "PNG", "WebP", "TIFF", "BMP", "PPM", "PDF"};
  return kNames[static_cast<size_t>(format)];
}

PixelBuffer::PixelBuffer(size_t bytes)
    : data_(std::make_unique_for_overwrite<uint8_t[]>(bytes)), size_(bytes) {}

void RefuseUrl(const std::string& path) {
  for (const std::string_view scheme : {"http://", "https://", "ftp://", "file://", "data:"}) {
    if (path.compare(0, scheme.size(), scheme) != 0) continue;
    throw Error(
        ErrorKind::kInput,
        fmt::format("'{}…' is not a path: images are read from files, '{}' is never fetched",
                    path.substr(0, 40), scheme),
        "save the picture to a file and give its path");
  }
}

int CountTiffPages(std::span<const uint8_t> bytes, const std::string& name) {
  return IsTiff(bytes) ? CountTiffDirectories({name, bytes, {}}) : 1;
}

Image NewImage(ImageMode mode, int64_t width, int64_t height) {
  VN_CHECK(width > 0 && height > 0);
  Image image;
  image.mode = mode;
  image.width = width;
  image.height = height;
  const auto bytes = static_cast<size_t>(width * height * BytesPerPixel(mode));
  try {
    image.pixels = PixelBuffer(bytes);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::kResource,
                fmt::format("no memory for the {} bytes of a {}x{} picture", bytes, width, height));
  }
  return image;
}

Image NewImageLike(const Image& source, ImageMode mode, int64_t width, int64_t height) {
  Image image = NewImage(mode, width, height);
  image.exif_orientation = source.exif_orientation;
  image.format = source.format;
  image.frames = source.frames;
  image.warnings = source.warnings;
  if (mode == source.mode) {
    image.palette = source.palette;
    image.transparency = source.transparency;
  }
  return image;
}

Image CopyOf(const Image& source) {
  Image copy = NewImageLike(source, source.mode, source.width, source.height);
  std::memcpy(copy.pixels.data(), source.pixels.data(), source.pixels.size());
  return copy;
}

void RefuseImage(const EncodedImage& file, ImageFormat format, std::string_view what,
                 std::string_view hint) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}: {}", file.name, Name(format), what),
              std::string(hint));
}

void CheckDimensions(const EncodedImage& file, ImageFormat format, int64_t width, int64_t height) {
  if (width <= 0 || height <= 0)
    RefuseImage(file, format, fmt::format("the header says {}x{} pixels", width, height));
  const int64_t limit = file.options.max_pixels;
  // Division instead of a product: a header's numbers may overflow it.
  if (width > limit / height)
    RefuseImage(file, format,
                fmt::format("the header says {}x{} pixels, more than the limit of {}: a "
                            "decompression bomb?",
                            width, height, limit),
                "raise the limit with --max-image-pixels if you trust the file");
}

Image NewDecodedImage(const EncodedImage& file, ImageFormat format, ImageMode mode, int64_t width,
                      int64_t height) {
  CheckDimensions(file, format, width, height);
  Image image = NewImage(mode, width, height);
  image.format = format;
  if (width > file.options.max_pixels / 2 / height)
    image.warnings.push_back(fmt::format("{}: {}x{} pixels are more than half of the limit of {}",
                                         file.name, width, height, file.options.max_pixels));
  return image;
}

Image DecodeImage(std::span<const uint8_t> bytes, const std::string& name,
                  const ImageDecodeOptions& options) {
  const EncodedImage file{name, bytes, options};
  if (StartsWith(bytes, "\xFF\xD8\xFF")) return DecodeJpeg(file);
  if (StartsWith(bytes, "\x89PNG\r\n\x1A\n")) return DecodePng(file);
  if (StartsWith(bytes, "RIFF") && StartsWith(bytes, "WEBP", 8)) return DecodeWebP(file);
  if (IsTiff(bytes)) return DecodeTiff(file);
  if (StartsWith(bytes, "BM")) return DecodeBmp(file);
  if (IsPnm(bytes)) return DecodePnm(file);
  throw Error(ErrorKind::kInput, fmt::format("{}: not an image: {}", name, DescribeForeign(bytes)),
              "JPEG, PNG, WebP, TIFF, BMP and PPM/PGM/PBM can be read");
}

Image DecodeImage(const std::string& path, const ImageDecodeOptions& options) {
  RefuseUrl(path);
  const MappedFile file = MappedFile::Open(path);
  Image image = DecodeImage(file.bytes(), path, options);
  file.CheckIntact();
  return image;
}

}  // namespace vernier
