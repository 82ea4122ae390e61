// PNG through libpng. The header is judged before libpng sees it, text and colour-profile chunks
// (which may be compressed a thousandfold) are never unpacked, and an animation gives its default
// image.
//
// libpng reports errors by longjmp. Guarded() is the only place with a setjmp; what it calls are
// lambdas of plain C calls, so no destructor is ever jumped over.
#include <fmt/format.h>
#include <png.h>

#include <bit>
#include <cstdio>
#include <cstring>

#include "io/image_codecs.h"

namespace vernier {
namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kChunkOverhead = 12;  // length, type, checksum
constexpr size_t kHeaderBytes = 13;
// Deflate writes at least two bits for 258 bytes.
constexpr int64_t kMaxDeflateRatio = 1032;

uint32_t BigEndian32(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

// What libpng is not asked for, found by walking over the chunks.
struct PngExtras {
  int frames = 1;
  int orientation = 1;
};

PngExtras ScanChunks(std::span<const uint8_t> bytes) {
  static constexpr std::string_view kXmpKey("XML:com.adobe.xmp\0\0\0", 20);  // uncompressed
  PngExtras extras;
  std::span<const uint8_t> exif;
  std::string_view xmp;
  bool default_image_is_frame = false, seen_pixels = false;
  uint32_t animation_frames = 0;
  for (size_t at = kSignatureBytes; bytes.size() - at >= kChunkOverhead;) {
    const size_t length = BigEndian32(bytes.data() + at);
    if (bytes.size() - at - kChunkOverhead < length) break;
    const std::string_view type(reinterpret_cast<const char*>(bytes.data() + at + 4), 4);
    const auto data = bytes.subspan(at + 8, length);
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    if (type == "IDAT") seen_pixels = true;
    if (type == "fcTL" && !seen_pixels) default_image_is_frame = true;
    if (type == "acTL" && length >= 8 && !seen_pixels) animation_frames = BigEndian32(data.data());
    if (type == "eXIf") exif = data;
    if (type == "iTXt" && text.starts_with(kXmpKey)) xmp = text;
    at += kChunkOverhead + length;
  }
  extras.orientation = ReadOrientation(exif, xmp);
  if (animation_frames > 0 && animation_frames < 0x7FFFFFFF)
    extras.frames = static_cast<int>(animation_frames) + (default_image_is_frame ? 0 : 1);
  return extras;
}

struct PngSource {
  std::span<const uint8_t> rest;
  bool truncated = false;
  char message[160] = "";
};

[[noreturn]] void Escape(png_structp png, png_const_charp message) {
  auto* source = static_cast<PngSource*>(png_get_error_ptr(png));
  std::snprintf(source->message, sizeof source->message, "%s", message);
  png_longjmp(png, 1);
}

void ReadBytes(png_structp png, png_bytep out, size_t count) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (count > source->rest.size()) {
    source->truncated = true;
    png_error(png, "truncated");
  }
  std::memcpy(out, source->rest.data(), count);
  source->rest = source->rest.subspan(count);
}

class PngDecoder {
 public:
  explicit PngDecoder(const EncodedImage& file) : file_(file), source_{.rest = file.bytes} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, Escape,
                                  [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) RefuseImage(file, ImageFormat::kPng, "libpng could not start");
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  Image Decode() {
    const auto [width, height] = ProbeHeader();
    ReadHeader(width, height);
    const int depth = png_get_bit_depth(png_, info_);
    const int colour = png_get_color_type(png_, info_);
    Image image = NewDecodedImage(file_, ImageFormat::kPng, Mode(colour, depth), width, height);
    if (colour == PNG_COLOR_TYPE_PALETTE) ReadPalette(image);
    ReadTransparency(image);
    ReadPixels(image);
    const PngExtras extras = ScanChunks(file_.bytes);
    image.frames = extras.frames;
    image.exif_orientation = extras.orientation;
    return image;
  }

 private:
  template <typename Calls>
  void Guarded(const Calls& calls) {
    if (setjmp(png_jmpbuf(png_)) == 0) {
      calls();
      return;
    }
    if (source_.truncated)
      RefuseImage(file_, ImageFormat::kPng,
                  fmt::format("truncated: the picture goes on after the file's {} bytes",
                              file_.bytes.size()),
                  "the download or copy was probably cut short; get the file again");
    RefuseImage(file_, ImageFormat::kPng, source_.message,
                "the file is damaged; get it again or save it anew");
  }

  struct Extent {
    uint32_t width, height;
  };

  // The size must be believable before anything is allocated for it.
  Extent ProbeHeader() const {
    const auto bytes = file_.bytes;
    if (bytes.size() < kSignatureBytes + kChunkOverhead + kHeaderBytes)
      RefuseImage(file_, ImageFormat::kPng,
                  fmt::format("truncated: {} bytes do not hold a header", bytes.size()));
    if (BigEndian32(bytes.data() + 8) != kHeaderBytes ||
        std::memcmp(bytes.data() + 12, "IHDR", 4) != 0)
      RefuseImage(file_, ImageFormat::kPng, "the first chunk is not a header (IHDR)");
    const Extent extent{BigEndian32(bytes.data() + 16), BigEndian32(bytes.data() + 20)};
    CheckDimensions(file_, ImageFormat::kPng, extent.width, extent.height);
    return extent;
  }

  void ReadHeader(uint32_t width, uint32_t height) {
    static constexpr png_byte kIgnored[] =
        "iCCP\0"
        "iTXt\0"
        "tEXt\0"
        "zTXt\0"
        "sPLT\0"
        "eXIf\0";
    Guarded([this, width, height] {
      png_set_read_fn(png_, &source_, ReadBytes);
      png_set_user_limits(png_, width, height);
      png_set_benign_errors(png_, 1);
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kIgnored, sizeof kIgnored / 5);
      png_read_info(png_, info_);
    });
    const int64_t raw_bytes = static_cast<int64_t>(png_get_rowbytes(png_, info_)) * height;
    if (raw_bytes > kMaxDeflateRatio * static_cast<int64_t>(file_.bytes.size()))
      RefuseImage(file_, ImageFormat::kPng,
                  fmt::format("truncated: the header says {}x{} pixels, which {} bytes cannot hold",
                              width, height, file_.bytes.size()));
  }

  static ImageMode Mode(int colour, int depth) {
    switch (colour) {
      case PNG_COLOR_TYPE_GRAY:
        return depth == 1 ? ImageMode::k1 : depth == 16 ? ImageMode::kI16 : ImageMode::kL;
      case PNG_COLOR_TYPE_GRAY_ALPHA:
        // Pillow has no 16-bit gray with alpha and widens it to colour.
        return depth == 16 ? ImageMode::kRGBA : ImageMode::kLA;
      case PNG_COLOR_TYPE_PALETTE:
        return ImageMode::kP;
      case PNG_COLOR_TYPE_RGB:
        return ImageMode::kRGB;
      default:
        return ImageMode::kRGBA;
    }
  }

  void ReadPalette(Image& image) {
    png_colorp colours = nullptr;
    int count = 0;
    if (png_get_PLTE(png_, info_, &colours, &count) == 0)
      RefuseImage(file_, ImageFormat::kPng, "a palette image without a palette (PLTE)");
    for (int i = 0; i < count; ++i)
      image.palette.insert(image.palette.end(),
                           {colours[i].red, colours[i].green, colours[i].blue});
  }

  void ReadTransparency(Image& image) {
    png_bytep alpha = nullptr;
    int count = 0;
    png_color_16p colour = nullptr;
    if (png_get_tRNS(png_, info_, &alpha, &count, &colour) == 0) return;
    switch (image.mode) {
      case ImageMode::kP:
        image.transparency.assign(alpha, alpha + count);
        break;
      case ImageMode::k1:
        image.transparency = {static_cast<uint16_t>(colour->gray != 0 ? 255 : 0)};
        break;
      case ImageMode::kL:
      case ImageMode::kI16:
        image.transparency = {colour->gray};
        break;
      case ImageMode::kRGB:
        image.transparency = {colour->red, colour->green, colour->blue};
        break;
      default:
        break;
    }
  }

  void ReadPixels(Image& image) {
    std::vector<png_bytep> rows;
    for (int64_t y = 0; y < image.height; ++y) rows.push_back(image.row(y));
    Guarded([this, &image, &rows] {
      const int colour = png_get_color_type(png_, info_);
      const int depth = png_get_bit_depth(png_, info_);
      if (colour == PNG_COLOR_TYPE_PALETTE) png_set_packing(png_);
      if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png_);
      if (depth == 16 && colour != PNG_COLOR_TYPE_GRAY) png_set_strip_16(png_);
      if (depth == 16 && colour == PNG_COLOR_TYPE_GRAY_ALPHA) png_set_gray_to_rgb(png_);
      if (image.mode == ImageMode::kI16 && std::endian::native == std::endian::little)
        png_set_swap(png_);
      png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      if (png_get_rowbytes(png_, info_) * rows.size() != image.pixels.size())
        png_error(png_, "libpng and vernier disagree about the size of a row");
      png_read_image(png_, rows.data());
    });
  }

  const EncodedImage& file_;
  PngSource source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

Image DecodePng(const EncodedImage& file) { return PngDecoder(file).Decode(); }

}  // namespace vernier
