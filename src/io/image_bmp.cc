// Windows bitmaps: core and info headers of any length, 1 to 32 bits per pixel, bit masks, RLE.
// Unusual files mean what they mean to Pillow: gray palettes make gray pictures, and the fourth
// byte of an unmasked 32-bit pixel is not alpha.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "io/image_bytes.h"

namespace vernier {
namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr uint32_t kCoreHeaderBytes = 12;

enum Compression : uint32_t { kNone = 0, kRle8 = 1, kRle4 = 2, kMasks = 3 };

struct BmpHeader {
  uint32_t header_bytes = 0;
  uint32_t pixel_offset = 0;
  int64_t width = 0;
  int64_t height = 0;
  bool top_down = false;
  uint32_t bits = 0;
  uint32_t compression = kNone;
  uint32_t colours = 0;
  std::array<uint32_t, 4> masks{};  // red, green, blue, alpha

  size_t palette_entry_bytes() const { return header_bytes == kCoreHeaderBytes ? 3 : 4; }
};

void ReadMasks(ImageBytes& bytes, BmpHeader& header) {
  // Longer headers hold the masks, a plain one of 40 bytes is followed by three of them.
  const size_t count = header.header_bytes >= 56 ? 4 : 3;
  for (size_t i = 0; i < count; ++i) header.masks[i] = bytes.LittleEndian(4);
}

BmpHeader ReadHeader(ImageBytes& bytes) {
  BmpHeader header;
  bytes.Seek(10);
  header.pixel_offset = bytes.LittleEndian(4);
  header.header_bytes = bytes.LittleEndian(4);
  if (header.header_bytes == kCoreHeaderBytes) {
    header.width = bytes.LittleEndian(2);
    header.height = bytes.LittleEndian(2);
    bytes.Take(2);
    header.bits = bytes.LittleEndian(2);
  } else {
    static constexpr uint32_t kKnown[] = {40, 52, 56, 64, 108, 124};
    if (std::find(std::begin(kKnown), std::end(kKnown), header.header_bytes) == std::end(kKnown))
      bytes.Refuse(fmt::format("a header of {} bytes, which no version of the format has",
                               header.header_bytes));
    header.width = static_cast<int32_t>(bytes.LittleEndian(4));
    const auto height = static_cast<int32_t>(bytes.LittleEndian(4));
    header.top_down = height < 0;
    header.height = header.top_down ? -int64_t{height} : height;
    bytes.Take(2);
    header.bits = bytes.LittleEndian(2);
    header.compression = bytes.LittleEndian(4);
    bytes.Take(12);
    header.colours = bytes.LittleEndian(4);
    bytes.Take(4);
    if (header.compression == kMasks) ReadMasks(bytes, header);
    bytes.Seek(std::max(bytes.position(), kFileHeaderBytes + header.header_bytes));
  }
  if (header.colours == 0 && header.bits <= 8) header.colours = 1U << header.bits;
  return header;
}

// Where the red, green, blue and alpha bytes of a 32-bit pixel are; 4 stands for "nowhere".
using ByteOrder = std::array<uint8_t, 4>;

class BmpDecoder {
 public:
  explicit BmpDecoder(const EncodedImage& file)
      : file_(file), bytes_(file, ImageFormat::kBmp), header_(ReadHeader(bytes_)) {}

  Image Decode() {
    CheckDimensions(file_, ImageFormat::kBmp, header_.width, header_.height);
    if (header_.bits == 1 || header_.bits == 4 || header_.bits == 8) return DecodeIndexed();
    if (header_.compression != kNone && header_.compression != kMasks) RefuseCompression();
    switch (header_.bits) {
      case 16:
        return Decode16();
      case 24:
        return DecodeBytes(3, {2, 1, 0, 4});
      case 32:
        return DecodeBytes(4,
                           header_.compression == kMasks ? OrderOfMasks() : ByteOrder{2, 1, 0, 4});
    }
    bytes_.Refuse(
        fmt::format("{} bits per pixel; 1, 4, 8, 16, 24 or 32 were expected", header_.bits));
  }

 private:
  [[noreturn]] void RefuseCompression() const {
    bytes_.Refuse(fmt::format("compression {} of {}-bit pixels is not supported",
                              header_.compression, header_.bits),
                  "save it without compression, or as PNG");
  }

  Image NewPicture(ImageMode mode) const {
    return NewDecodedImage(file_, ImageFormat::kBmp, mode, header_.width, header_.height);
  }

  uint8_t* Row(Image& image, int64_t y) const {
    return image.row(header_.top_down ? y : header_.height - 1 - y);
  }

  // Rows are padded to whole 32-bit words. Calls unpack(stored row, row of the image).
  template <typename Unpack>
  Image UnpackRows(Image image, const Unpack& unpack) {
    const auto row_bytes = static_cast<size_t>((header_.width * header_.bits + 31) / 32 * 4);
    bytes_.Seek(header_.pixel_offset != 0 ? header_.pixel_offset : bytes_.position());
    for (int64_t y = 0; y < header_.height; ++y)
      unpack(bytes_.Take(row_bytes).data(), Row(image, y));
    return image;
  }

  Image DecodeIndexed() {
    std::vector<uint8_t> palette = ReadPalette();
    Image image = NewPicture(ImageMode::kP);
    image.palette = std::move(palette);
    if (header_.compression == kRle8 || header_.compression == kRle4)
      ReadRuns(image);
    else if (header_.compression == kNone)
      image = ReadIndices(std::move(image));
    else
      RefuseCompression();
    return SimplifyGray(std::move(image));
  }

  std::vector<uint8_t> ReadPalette() {
    if (header_.colours > 65536)
      bytes_.Refuse(fmt::format("a palette of {} colours", header_.colours));
    const size_t entry_bytes = header_.palette_entry_bytes();
    std::vector<uint8_t> palette;
    for (uint32_t i = 0; i < header_.colours; ++i) {
      const auto entry = bytes_.Take(entry_bytes);
      if (i < 256) palette.insert(palette.end(), {entry[2], entry[1], entry[0]});
    }
    // Some writers point at the palette instead of the pixels.
    if (header_.pixel_offset == kFileHeaderBytes + header_.header_bytes) header_.pixel_offset = 0;
    return palette;
  }

  Image ReadIndices(Image image) {
    const uint32_t bits = header_.bits;
    return UnpackRows(std::move(image), [&](const uint8_t* in, uint8_t* out) {
      for (int64_t x = 0; x < header_.width; ++x) {
        const auto bit = static_cast<uint32_t>(x) * bits;
        out[x] = static_cast<uint8_t>((in[bit / 8] >> (8 - bits - bit % 8)) & ((1U << bits) - 1));
      }
    });
  }

  // Pixels are numbered in storage order. A run ends with its row, whatever its length says.
  void ReadRuns(Image& image) {
    bytes_.Seek(header_.pixel_offset != 0 ? header_.pixel_offset : bytes_.position());
    const int64_t width = header_.width, total = width * header_.height;
    std::memset(image.pixels.data(), 0, image.pixels.size());
    const bool nibbles = header_.compression == kRle4;
    const auto nibble = [](uint8_t byte, int64_t i) { return i % 2 == 0 ? byte >> 4 : byte & 15; };
    int64_t at = 0;  // of the next pixel
    int64_t x = 0;   // what the row has got so far; may pass its end
    const auto put = [&](int index) {
      if (at < total) Row(image, at / width)[at % width] = static_cast<uint8_t>(index);
      ++at;
    };
    while (at < total) {
      const auto pair = bytes_.Take(2);
      const int64_t count = pair[0];
      const uint8_t value = pair[1];
      if (count > 0) {
        const int64_t used = std::clamp<int64_t>(width - x, 0, count);
        for (int64_t i = 0; i < used; ++i) put(nibbles ? nibble(value, i) : value);
        x += used;
      } else if (value == 0) {
        at = (at + width - 1) / width * width;
        x = 0;
      } else if (value == 1) {
        bytes_.Refuse("the runs end before the picture is full");
      } else if (value == 2) {
        const auto step = bytes_.Take(2);
        at += step[0] + step[1] * width;
        x = at % width;
      } else {
        const size_t stored = nibbles ? (value + 1U) / 2 : value;
        const auto literal = bytes_.Take(stored);
        for (size_t i = 0; i < value; ++i)
          put(nibbles ? nibble(literal[i / 2], static_cast<int64_t>(i)) : literal[i]);
        x += value;
        if (stored % 2 == 1 && bytes_.left() > 0) bytes_.Take(1);
      }
    }
  }

  // Black and white, or a palette that maps each level to itself, is no palette at all.
  Image SimplifyGray(Image image) const {
    const auto is_gray = [&](size_t index, uint8_t level) {
      const uint8_t* entry = image.palette.data() + 3 * index;
      return entry[0] == level && entry[1] == level && entry[2] == level;
    };
    const size_t entries = image.palette.size() / 3;
    if (header_.bits == 1 && entries == 2 && is_gray(0, 0) && is_gray(1, 255)) {
      for (uint8_t& pixel : std::span(image.pixels.data(), image.pixels.size()))
        pixel = pixel != 0 ? 255 : 0;
      image.mode = ImageMode::k1;
    } else if (header_.bits == 8 && entries > 2) {
      for (size_t i = 0; i < entries; ++i)
        if (!is_gray(i, static_cast<uint8_t>(i))) return image;
      image.mode = ImageMode::kL;
    }
    if (image.mode != ImageMode::kP) image.palette.clear();
    return image;
  }

  Image Decode16() {
    const std::array<uint32_t, 4> rgb565{0xF800, 0x7E0, 0x1F, 0}, rgb555{0x7C00, 0x3E0, 0x1F, 0};
    if (header_.compression == kMasks && header_.masks != rgb565 && header_.masks != rgb555)
      RefuseMasks();
    const uint32_t green = header_.masks == rgb565 && header_.compression == kMasks ? 63 : 31;
    const uint32_t red_shift = green == 63 ? 11 : 10;
    return UnpackRows(NewPicture(ImageMode::kRGB), [&](const uint8_t* in, uint8_t* out) {
      for (int64_t x = 0; x < header_.width; ++x, in += 2, out += 3) {
        const uint32_t pixel = in[0] | uint32_t{in[1]} << 8;
        out[0] = static_cast<uint8_t>((pixel >> red_shift & 31) * 255 / 31);
        out[1] = static_cast<uint8_t>((pixel >> 5 & green) * 255 / green);
        out[2] = static_cast<uint8_t>((pixel & 31) * 255 / 31);
      }
    });
  }

  Image DecodeBytes(int64_t pixel_bytes, ByteOrder order) {
    const int channels = order[3] == 4 ? 3 : 4;
    const ImageMode mode = channels == 4 ? ImageMode::kRGBA : ImageMode::kRGB;
    return UnpackRows(NewPicture(mode), [&](const uint8_t* in, uint8_t* out) {
      for (int64_t x = 0; x < header_.width; ++x, in += pixel_bytes)
        for (int c = 0; c < channels; ++c) *out++ = in[order[static_cast<size_t>(c)]];
    });
  }

  [[noreturn]] void RefuseMasks() const {
    bytes_.Refuse(
        fmt::format("the channel masks {:x} {:x} {:x} {:x} are not supported", header_.masks[0],
                    header_.masks[1], header_.masks[2], header_.masks[3]),
        "save it as 24-bit BMP, or as PNG");
  }

  ByteOrder OrderOfMasks() const {
    if (header_.masks == std::array<uint32_t, 4>{}) return {2, 1, 0, 3};
    ByteOrder order{4, 4, 4, 4};
    for (size_t c = 0; c < 4; ++c)
      for (uint8_t byte = 0; byte < 4; ++byte)
        if (header_.masks[c] == 0xFFU << (8 * byte)) order[c] = byte;
    const bool alpha_is_odd = header_.masks[3] != 0 && order[3] == 4;
    if (order[0] == 4 || order[1] == 4 || order[2] == 4 || alpha_is_odd) RefuseMasks();
    return order;
  }

  const EncodedImage& file_;
  ImageBytes bytes_;
  BmpHeader header_;
};

}  // namespace

Image DecodeBmp(const EncodedImage& file) { return BmpDecoder(file).Decode(); }

}  // namespace vernier
