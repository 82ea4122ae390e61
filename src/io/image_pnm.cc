// Portable bitmaps, graymaps and pixmaps (P1 to P6) and float graymaps (Pf). Levels are scaled to
// 255; 16-bit gray is scaled to 65535 and becomes mode I, as in Pillow.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "io/image_bytes.h"

namespace vernier {
namespace {

constexpr size_t kLongestToken = 10;
constexpr int64_t kMaxLevel = 65535;

bool IsSpace(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

class PnmDecoder {
 public:
  explicit PnmDecoder(const EncodedImage& file) : file_(file), bytes_(file, ImageFormat::kPnm) {}

  Image Decode() {
    kind_ = static_cast<char>(bytes_.Take(2)[1]);
    const int64_t width = Number("the width"), height = Number("the height");
    CheckDimensions(file_, ImageFormat::kPnm, width, height);
    if (kind_ == 'f') return DecodeFloat(width, height);
    const bool bitmap = kind_ == '1' || kind_ == '4';
    if (!bitmap) max_level_ = Number("the greatest level");
    if (max_level_ < 1 || max_level_ > kMaxLevel)
      bytes_.Refuse(
          fmt::format("the greatest level is {}; 1 to {} was expected", max_level_, kMaxLevel));
    const bool colour = kind_ == '3' || kind_ == '6';
    Image image = NewDecodedImage(file_, ImageFormat::kPnm,
                                  bitmap             ? ImageMode::k1
                                  : colour           ? ImageMode::kRGB
                                  : max_level_ > 255 ? ImageMode::kI
                                                     : ImageMode::kL,
                                  width, height);
    if (kind_ == '1') ReadPlainBits(image);
    if (kind_ == '4') ReadPackedBits(image);
    if (kind_ == '2' || kind_ == '3') ReadLevels(image, [this] { return PlainLevel(); });
    if (kind_ == '5' || kind_ == '6') ReadBinary(image);
    return image;
  }

 private:
  // Skips white space and comments, takes a word and the one white space after it.
  std::string Token() {
    std::string token;
    while (true) {
      const uint8_t c = bytes_.Take(1)[0];
      if (c == '#') {
        SkipComment();
      } else if (IsSpace(c)) {
        if (!token.empty()) return token;
      } else {
        token += static_cast<char>(c);
      }
      if (token.size() > kLongestToken)
        bytes_.Refuse(fmt::format("'{}…' where a number was expected", token));
      if (bytes_.left() == 0 && !token.empty()) return token;
    }
  }

  void SkipComment() {
    while (bytes_.left() > 0) {
      const uint8_t c = bytes_.Take(1)[0];
      if (c == '\n' || c == '\r') return;
    }
  }

  int64_t Number(const char* what) {
    const std::string token = Token();
    int64_t value = 0;
    const auto [end, failure] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (failure != std::errc() || end != token.data() + token.size() || value < 0)
      bytes_.Refuse(fmt::format("{} is '{}'; a whole number was expected", what, token));
    return value;
  }

  // 1 is black; digits need no space between them.
  void ReadPlainBits(Image& image) {
    for (size_t i = 0; i < image.pixels.size();) {
      const uint8_t c = bytes_.Take(1)[0];
      if (c == '#') SkipComment();
      if (c == '#' || IsSpace(c)) continue;
      if (c != '0' && c != '1')
        bytes_.Refuse(fmt::format("byte {} is no digit of a bitmap", bytes_.position() - 1));
      image.pixels.data()[i++] = c == '1' ? 0 : 255;
    }
  }

  void ReadPackedBits(Image& image) {
    for (int64_t y = 0; y < image.height; ++y) {
      const auto packed = bytes_.Take(static_cast<size_t>((image.width + 7) / 8));
      for (int64_t x = 0; x < image.width; ++x)
        image.row(y)[x] = (packed[static_cast<size_t>(x / 8)] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    }
  }

  int64_t PlainLevel() {
    const int64_t level = Number("a level");
    if (level > max_level_)
      bytes_.Refuse(fmt::format("a level is {}, above the greatest of {}", level, max_level_));
    return level;
  }

  void ReadBinary(Image& image) {
    if (max_level_ == 255)
      std::memcpy(image.pixels.data(), bytes_.Take(image.pixels.size()).data(),
                  image.pixels.size());
    else
      ReadLevels(image, [this] { return BinaryLevel(); });
  }

  int64_t BinaryLevel() {
    const uint8_t first = bytes_.Take(1)[0];
    return max_level_ < 256 ? first : first << 8 | bytes_.Take(1)[0];
  }

  template <typename Next>
  void ReadLevels(Image& image, const Next& next) {
    const bool wide = image.mode == ImageMode::kI;
    const int64_t top = wide ? 65535 : 255;
    const size_t samples = image.pixels.size() / (wide ? sizeof(int32_t) : 1);
    for (size_t i = 0; i < samples; ++i) {
      const double share = static_cast<double>(next()) / static_cast<double>(max_level_);
      // Halves go to even, as Python rounds.
      const auto level = static_cast<int32_t>(
          std::min(static_cast<double>(top), std::nearbyint(share * static_cast<double>(top))));
      if (wide)
        std::memcpy(image.pixels.data() + i * sizeof level, &level, sizeof level);
      else
        image.pixels.data()[i] = static_cast<uint8_t>(level);
    }
  }

  // Rows run from the bottom; the sign of the scale gives the byte order.
  Image DecodeFloat(int64_t width, int64_t height) {
    const std::string token = Token();
    const double scale = std::strtod(token.c_str(), nullptr);
    if (scale == 0.0 || !std::isfinite(scale))
      bytes_.Refuse(
          fmt::format("the scale is '{}'; a finite number other than 0 was expected", token));
    const bool swap = (scale < 0) != (std::endian::native == std::endian::little);
    Image image = NewDecodedImage(file_, ImageFormat::kPnm, ImageMode::kF, width, height);
    const auto row_bytes = static_cast<size_t>(width) * sizeof(float);
    for (int64_t y = height - 1; y >= 0; --y) {
      std::memcpy(image.row(y), bytes_.Take(row_bytes).data(), row_bytes);
      for (size_t i = 0; swap && i < row_bytes; i += sizeof(float))
        std::reverse(image.row(y) + i, image.row(y) + i + sizeof(float));
    }
    return image;
  }

  const EncodedImage& file_;
  ImageBytes bytes_;
  char kind_ = 0;
  int64_t max_level_ = 1;
};

}  // namespace

Image DecodePnm(const EncodedImage& file) { return PnmDecoder(file).Decode(); }

}  // namespace vernier
