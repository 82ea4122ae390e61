// TIFF through libtiff: strips or tiles, interleaved or planar, any compression libtiff knows.
// As Pillow does, the orientation tag is applied while reading, samples of more than 8 bits are
// kept for gray and cut to their high byte for colour, and "0 is white" is inverted up to 8 bits.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "io/image_codecs.h"
#include "io/image_convert.h"

namespace vernier {
namespace {

constexpr ImageFormat kFormat = ImageFormat::kTiff;
constexpr uint16_t kMaxSamples = 6;
// One strip or tile of a real file is far smaller; libtiff refuses to allocate more at a time.
constexpr tmsize_t kMaxAllocation = tmsize_t{1} << 30;

// libtiff's view of the file in memory, and the last thing it complained about.
struct TiffMemory {
  std::span<const uint8_t> bytes;
  uint64_t at = 0;
  char message[200] = "";
};

TiffMemory& MemoryOf(thandle_t handle) { return *static_cast<TiffMemory*>(handle); }

tmsize_t ReadMemory(thandle_t handle, void* out, tmsize_t count) {
  TiffMemory& memory = MemoryOf(handle);
  if (memory.at >= memory.bytes.size()) return 0;
  const auto taken = static_cast<size_t>(
      std::min<uint64_t>(static_cast<uint64_t>(count), memory.bytes.size() - memory.at));
  std::memcpy(out, memory.bytes.data() + memory.at, taken);
  memory.at += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t WriteNothing(thandle_t, void*, tmsize_t) { return 0; }

toff_t SeekMemory(thandle_t handle, toff_t offset, int whence) {
  TiffMemory& memory = MemoryOf(handle);
  const uint64_t base = whence == SEEK_CUR   ? memory.at
                        : whence == SEEK_END ? memory.bytes.size()
                                             : 0;
  return memory.at = base + offset;
}

int CloseNothing(thandle_t) { return 0; }
toff_t SizeOfMemory(thandle_t handle) { return MemoryOf(handle).bytes.size(); }

int KeepMessage(TIFF*, void* user_data, const char*, const char* format, va_list arguments) {
  auto* memory = static_cast<TiffMemory*>(user_data);
  vsnprintf(memory->message, sizeof memory->message, format, arguments);
  return 1;
}

int Ignore(TIFF*, void*, const char*, const char*, va_list) { return 1; }

using TiffHandle = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

TiffHandle OpenTiff(TiffMemory& memory) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), &TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), KeepMessage, &memory);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Ignore, nullptr);
  // "m": no memory map of libtiff's own.
  return TiffHandle(TIFFClientOpenExt("image", "rm", &memory, ReadMemory, WriteNothing, SeekMemory,
                                      CloseNothing, SizeOfMemory, nullptr, nullptr, options.get()),
                    &TIFFClose);
}

// What the tags say about the samples of one pixel.
struct TiffTags {
  uint32_t width = 0, height = 0;
  uint16_t bits = 1, samples = 1, sample_format = SAMPLEFORMAT_UINT;
  uint16_t photometric = PHOTOMETRIC_MINISWHITE, planar = PLANARCONFIG_CONTIG;
  uint16_t compression = COMPRESSION_NONE, orientation = ORIENTATION_TOPLEFT;
  uint16_t extra_count = 0, first_extra = 0;
};

// How stored samples become a pixel of the image.
struct TiffLayout {
  ImageMode mode = ImageMode::kRGB;
  int channels = 3;  // taken from each stored pixel; further samples are skipped
  bool invert = false;
  bool premultiplied = false;
};

template <typename T>
T Tag(TIFF* tiff, uint32_t tag, T otherwise) {
  T value{};
  return TIFFGetFieldDefaulted(tiff, tag, &value) == 1 ? value : otherwise;
}

TiffTags ReadTags(TIFF* tiff) {
  TiffTags tags;
  tags.width = Tag<uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0);
  tags.height = Tag<uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0);
  tags.bits = Tag<uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  tags.samples = Tag<uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  tags.sample_format = Tag<uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  tags.photometric = Tag<uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
  tags.planar = Tag<uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  tags.compression = Tag<uint16_t>(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  tags.orientation = Tag<uint16_t>(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  uint16_t* extra = nullptr;
  if (TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &tags.extra_count, &extra) == 1 &&
      tags.extra_count > 0 && extra != nullptr)
    tags.first_extra = extra[0];
  return tags;
}

class TiffDecoder {
 public:
  explicit TiffDecoder(const EncodedImage& file)
      : file_(file), memory_{.bytes = file.bytes}, tiff_(OpenTiff(memory_)) {
    if (tiff_ == nullptr) RefuseDamaged();
  }

  int CountPages() { return static_cast<int>(TIFFNumberOfDirectories(tiff_.get())); }

  Image Decode() {
    const int pages = CountPages();
    SelectPage(pages);
    tags_ = ReadTags(tiff_.get());
    CheckDimensions(file_, kFormat, tags_.width, tags_.height);
    const std::optional<TiffLayout> layout = ChooseLayout();
    if (!layout) RefuseLayout();
    layout_ = *layout;
    Image image = NewDecodedImage(file_, kFormat, layout_.mode, tags_.width, tags_.height);
    image.frames = pages;
    if (layout_.mode == ImageMode::kP) ReadPalette(image);
    ReadBlocks(image);
    image.exif_orientation = tags_.orientation;
    return ApplyExifOrientation(image);
  }

 private:
  [[noreturn]] void RefuseDamaged() const {
    RefuseImage(file_, kFormat,
                fmt::format("truncated or damaged within its {} bytes{}{}", file_.bytes.size(),
                            memory_.message[0] != 0 ? ": " : "", memory_.message),
                "get the file again, or save it as PNG");
  }

  [[noreturn]] void RefuseLayout() const {
    const char* colours = tags_.photometric == PHOTOMETRIC_YCBCR    ? "YCbCr"
                          : tags_.photometric == PHOTOMETRIC_CIELAB ? "CIE LAB"
                          : tags_.photometric == PHOTOMETRIC_RGB    ? "RGB"
                                                                    : "such";
    RefuseImage(
        file_, kFormat,
        fmt::format("{} pixels of {} samples with {} bits (photometric {}, sample format "
                    "{}) are not supported",
                    colours, tags_.samples, tags_.bits, tags_.photometric, tags_.sample_format),
        "save it as RGB, or as PNG");
  }

  void SelectPage(int pages) {
    const int page = file_.options.page;
    if (page < 0 || page >= pages)
      RefuseImage(file_, kFormat,
                  fmt::format("page {} was asked for, but there are {} (counted "
                              "from 0)",
                              page, pages));
    if (TIFFSetDirectory(tiff_.get(), static_cast<tdir_t>(page)) == 0) RefuseDamaged();
  }

  std::optional<TiffLayout> ChooseLayout() {
    if (tags_.samples < 1 || tags_.samples > kMaxSamples) return std::nullopt;
    switch (tags_.photometric) {
      case PHOTOMETRIC_MINISWHITE:
      case PHOTOMETRIC_MINISBLACK:
        return tags_.samples == 1 ? GrayLayout() : GrayAlphaLayout();
      case PHOTOMETRIC_PALETTE:
        if (tags_.samples == 1 && tags_.bits <= 8)
          return TiffLayout{.mode = ImageMode::kP, .channels = 1};
        return std::nullopt;
      case PHOTOMETRIC_RGB:
        return ColourLayout();
      case PHOTOMETRIC_SEPARATED:
        if (tags_.samples >= 4 && HasColourBits())
          return TiffLayout{.mode = ImageMode::kCMYK, .channels = 4};
        return std::nullopt;
      case PHOTOMETRIC_YCBCR:
        // JPEG inside TIFF converts by itself; other YCbCr is rare and comes subsampled.
        if (tags_.compression != COMPRESSION_JPEG || tags_.samples != 3 || tags_.bits != 8 ||
            tags_.planar != PLANARCONFIG_CONTIG)
          return std::nullopt;
        TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        return TiffLayout{};
    }
    return std::nullopt;
  }

  bool HasColourBits() const {
    return tags_.sample_format == SAMPLEFORMAT_UINT && (tags_.bits == 8 || tags_.bits == 16);
  }

  std::optional<TiffLayout> GrayLayout() const {
    TiffLayout layout{.mode = ImageMode::kL, .channels = 1};
    const bool is_unsigned = tags_.sample_format == SAMPLEFORMAT_UINT;
    if (tags_.bits == 32 && tags_.sample_format == SAMPLEFORMAT_IEEEFP)
      layout.mode = ImageMode::kF;
    else if (tags_.bits == 32 && tags_.photometric == PHOTOMETRIC_MINISBLACK)
      layout.mode = ImageMode::kI;
    else if (tags_.bits == 16 && is_unsigned)
      layout.mode = ImageMode::kI16;
    else if (tags_.bits == 1 && is_unsigned)
      layout.mode = ImageMode::k1;
    else if (!is_unsigned || (tags_.bits != 2 && tags_.bits != 4 && tags_.bits != 8))
      return std::nullopt;
    layout.invert = tags_.photometric == PHOTOMETRIC_MINISWHITE && tags_.bits <= 8;
    return layout;
  }

  std::optional<TiffLayout> GrayAlphaLayout() const {
    if (tags_.samples != 2 || tags_.bits != 8 || tags_.photometric != PHOTOMETRIC_MINISBLACK)
      return std::nullopt;
    if (tags_.first_extra == EXTRASAMPLE_UNSPECIFIED)
      return TiffLayout{.mode = ImageMode::kL, .channels = 1};
    if (tags_.first_extra == EXTRASAMPLE_UNASSALPHA)
      return TiffLayout{.mode = ImageMode::kLA, .channels = 2};
    return std::nullopt;
  }

  std::optional<TiffLayout> ColourLayout() const {
    if (tags_.samples < 3 || !HasColourBits()) return std::nullopt;
    const bool is_alpha = tags_.samples > 3 &&
                          (tags_.extra_count == 0 || tags_.first_extra != EXTRASAMPLE_UNSPECIFIED);
    if (!is_alpha) return TiffLayout{};
    return TiffLayout{
        .mode = ImageMode::kRGBA,
        .channels = 4,
        .premultiplied = tags_.extra_count > 0 && tags_.first_extra == EXTRASAMPLE_ASSOCALPHA};
  }

  void ReadPalette(Image& image) {
    uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
    if (TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &red, &green, &blue) != 1)
      RefuseImage(file_, kFormat, "a palette image without a palette");
    for (int i = 0; i < 1 << tags_.bits; ++i)
      image.palette.insert(image.palette.end(),
                           {static_cast<uint8_t>(red[i] >> 8), static_cast<uint8_t>(green[i] >> 8),
                            static_cast<uint8_t>(blue[i] >> 8)});
  }

  // Strips are tiles as wide as the picture.
  struct Blocks {
    bool tiled;
    int64_t width, height, row_bytes, bytes;
  };

  Blocks BlocksOf() const {
    TIFF* tiff = tiff_.get();
    if (TIFFIsTiled(tiff) != 0)
      return {true, Tag<uint32_t>(tiff, TIFFTAG_TILEWIDTH, 0),
              Tag<uint32_t>(tiff, TIFFTAG_TILELENGTH, 0), TIFFTileRowSize(tiff),
              TIFFTileSize(tiff)};
    const int64_t rows = Tag<uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP, tags_.height);
    return {false, tags_.width, std::min<int64_t>(rows, tags_.height), TIFFScanlineSize(tiff),
            TIFFStripSize(tiff)};
  }

  void ReadBlocks(Image& image) {
    const Blocks blocks = BlocksOf();
    const int planes = tags_.planar == PLANARCONFIG_SEPARATE ? tags_.samples : 1;
    const int64_t samples_in_row = blocks.width * (planes > 1 ? 1 : tags_.samples);
    // What libtiff says of its own block has to agree with what is unpacked from it.
    if (blocks.width <= 0 || blocks.height <= 0 || blocks.bytes <= 0 ||
        blocks.bytes > kMaxAllocation || blocks.row_bytes * 8 < samples_in_row * tags_.bits ||
        blocks.row_bytes > blocks.bytes / blocks.height)
      RefuseDamaged();
    PixelBuffer block(static_cast<size_t>(blocks.bytes));
    for (int plane = 0; plane < std::min(planes, layout_.channels); ++plane)
      for (int64_t top = 0; top < image.height; top += blocks.height)
        for (int64_t left = 0; left < image.width; left += blocks.width)
          ReadBlock(blocks, block, image, {top, left, plane});
    if (layout_.premultiplied) DivideByAlpha(image);
  }

  struct Place {
    int64_t top, left;
    int plane;
  };

  void ReadBlock(const Blocks& blocks, PixelBuffer& block, Image& image, Place place) {
    TIFF* tiff = tiff_.get();
    const auto x = static_cast<uint32_t>(place.left), y = static_cast<uint32_t>(place.top);
    const auto plane = static_cast<uint16_t>(place.plane);
    const int64_t rows = std::min(blocks.height, image.height - place.top);
    const int64_t expected = blocks.tiled ? blocks.bytes : rows * blocks.row_bytes;
    const tmsize_t got =
        blocks.tiled
            ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, plane), block.data(),
                                  blocks.bytes)
            : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, plane), block.data(), expected);
    if (got < expected) RefuseDamaged();
    const int64_t columns = std::min(blocks.width, image.width - place.left);
    for (int64_t row = 0; row < rows; ++row)
      UnpackRow(block.data() + row * blocks.row_bytes,
                image.row(place.top + row) + place.left * BytesPerPixel(image.mode), columns,
                place.plane);
  }

  // One row of stored pixels into the image's; a plane fills its own channel.
  void UnpackRow(const uint8_t* in, uint8_t* out, int64_t columns, int plane) const {
    const int pixel_bytes = BytesPerPixel(layout_.mode);
    const bool whole_samples = tags_.samples == 1 && tags_.bits == 8 * pixel_bytes;
    if (tags_.planar == PLANARCONFIG_SEPARATE && tags_.samples > 1)
      UnpackBytes(in, 1, out + plane, pixel_bytes, 1, columns);
    else if (tags_.bits < 8)
      UnpackBits(in, out, columns);
    else if (whole_samples)
      std::memcpy(out, in, static_cast<size_t>(columns * pixel_bytes));
    else
      UnpackBytes(in, tags_.samples, out, layout_.channels, layout_.channels, columns);
    if (layout_.invert)
      for (int64_t i = 0; i < columns; ++i) out[i] = 255 - out[i];
  }

  // 8-bit samples, or the high byte of 16-bit ones.
  void UnpackBytes(const uint8_t* in, int in_step, uint8_t* out, int out_step, int channels,
                   int64_t columns) const {
    for (int64_t x = 0; x < columns; ++x, out += out_step)
      for (int c = 0; c < channels; ++c) {
        const int64_t sample = x * in_step + c;
        if (tags_.bits == 8) {
          out[c] = in[sample];
        } else {
          uint16_t wide = 0;
          std::memcpy(&wide, in + 2 * sample, sizeof wide);
          out[c] = static_cast<uint8_t>(wide >> 8);
        }
      }
  }

  // 1, 2 or 4 bits: indices as they are, levels stretched to 255.
  void UnpackBits(const uint8_t* in, uint8_t* out, int64_t columns) const {
    const auto bits = static_cast<unsigned>(tags_.bits);
    const unsigned top = (1U << bits) - 1;
    const unsigned stretch = layout_.mode == ImageMode::kP ? 1 : 255 / top;
    for (int64_t x = 0; x < columns; ++x) {
      const auto bit = static_cast<size_t>(x) * bits;
      out[x] = static_cast<uint8_t>((in[bit / 8] >> (8 - bits - bit % 8) & top) * stretch);
    }
  }

  static void DivideByAlpha(Image& image) {
    uint8_t* pixel = image.pixels.data();
    for (int64_t i = 0; i < image.width * image.height; ++i, pixel += 4)
      for (int c = 0; c < 3 && pixel[3] != 255; ++c)
        pixel[c] = pixel[3] == 0 ? uint8_t{0}
                                 : static_cast<uint8_t>(std::min(255, pixel[c] * 255 / pixel[3]));
  }

  const EncodedImage& file_;
  TiffMemory memory_;
  TiffHandle tiff_;
  TiffTags tags_;
  TiffLayout layout_;
};

}  // namespace

Image DecodeTiff(const EncodedImage& file) { return TiffDecoder(file).Decode(); }

int CountTiffDirectories(const EncodedImage& file) { return TiffDecoder(file).CountPages(); }

}  // namespace vernier
