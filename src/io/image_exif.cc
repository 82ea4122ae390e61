// Orientation tags: EXIF is a TIFF structure of which only the first directory matters here.
#include <algorithm>
#include <optional>

#include "io/image_codecs.h"

namespace vernier {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;
constexpr uint32_t kLong = 4;
constexpr size_t kEntryBytes = 12;

// Bounds-checked integers of a TIFF block in its own byte order; reading past the end gives none.
class TiffBytes {
 public:
  explicit TiffBytes(std::span<const uint8_t> bytes)
      : bytes_(bytes), big_endian_(!bytes.empty() && bytes[0] == 'M') {}

  std::optional<uint32_t> Read(size_t at, size_t count) const {
    if (at > bytes_.size() || bytes_.size() - at < count) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i)
      value = value << 8 | bytes_[at + (big_endian_ ? i : count - 1 - i)];
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
  bool big_endian_;
};

std::optional<uint32_t> OrientationOfExif(std::span<const uint8_t> bytes) {
  static constexpr uint8_t kPrefix[] = {'E', 'x', 'i', 'f', 0, 0};
  if (bytes.size() >= sizeof kPrefix && std::equal(kPrefix, kPrefix + sizeof kPrefix, bytes.data()))
    bytes = bytes.subspan(sizeof kPrefix);
  const TiffBytes tiff(bytes);
  const auto directory = tiff.Read(4, 4);
  if (!directory || tiff.Read(2, 2) != 42) return std::nullopt;
  const auto entries = tiff.Read(*directory, 2);
  for (size_t i = 0; entries && i < *entries; ++i) {
    const size_t at = size_t{*directory} + 2 + i * kEntryBytes;
    const auto tag = tiff.Read(at, 2);
    if (!tag) return std::nullopt;
    if (*tag != kOrientationTag) continue;
    const auto type = tiff.Read(at + 2, 2);
    if (type == kShort) return tiff.Read(at + 8, 2);
    if (type == kLong) return tiff.Read(at + 8, 4);
    return std::nullopt;
  }
  return std::nullopt;
}

// XMP writes the tag as an attribute (tiff:Orientation="6") or as an element's text.
std::optional<uint32_t> OrientationOfXmp(std::string_view xmp) {
  static constexpr std::string_view kTag = "tiff:Orientation";
  for (size_t at = xmp.find(kTag); at != std::string_view::npos; at = xmp.find(kTag, at + 1)) {
    std::string_view rest = xmp.substr(at + kTag.size());
    if (rest.starts_with("=\""))
      rest.remove_prefix(2);
    else if (rest.starts_with(">"))
      rest.remove_prefix(1);
    else
      continue;
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return rest[0] - '0';
  }
  return std::nullopt;
}

}  // namespace

int ReadOrientation(std::span<const uint8_t> exif, std::string_view xmp) {
  auto value = OrientationOfExif(exif);
  if (!value) value = OrientationOfXmp(xmp);
  return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
}

}  // namespace vernier
