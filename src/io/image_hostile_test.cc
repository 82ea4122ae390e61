// Damaged and malicious pictures: every answer is an image or an Error, never a crash, and never
// much time or memory. The sanitizer build runs the same tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/image.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

Bytes FileBytes(const std::string& name) {
  std::ifstream file(VERNIER_TEST_DATA "/images/" + name, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(bytes.empty()) << name;
  return {bytes.begin(), bytes.end()};
}

// A damaged header may say any size; this keeps what it costs in a test small.
constexpr ImageDecodeOptions kSmall{.max_pixels = 1 << 20};

std::string MessageFor(const Bytes& bytes) {
  try {
    DecodeImage(bytes, "picture", kSmall);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class EveryFormat : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Files, EveryFormat,
                         ::testing::Values("jpeg_420.jpg", "jpeg_420_progressive.jpg",
                                           "jpeg_exif_be_6.jpg", "png_palette4_trns_interlaced.png",
                                           "png_rgb8_exif6.png", "png_apng.png",
                                           "webp_lossy_alpha.webp", "webp_animated.webp",
                                           "webp_exif_8.webp", "tiff_rgb_lzw_predictor.tiff",
                                           "tiff_1bit_group4.tiff", "tiff_rgb_tiled_deflate.tiff",
                                           "tiff_ycbcr_jpeg.tiff", "tiff_palette.tiff",
                                           "bmp_rle8.bmp", "bmp_masks32.bmp", "bmp_palette4.bmp",
                                           "pnm_p2_16.pgm", "pnm_p4.pbm", "pnm_pf.pfm"),
                         [](const auto& file) {
                           std::string name = file.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST_P(EveryFormat, SurvivesBeingCutAtEveryByte) {
  const Bytes whole = FileBytes(GetParam());
  size_t refused = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    // A copy of exactly this size, so that reading past it is seen by the sanitizer.
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    refused += MessageFor(part) != "no error";
  }
  // Trailing metadata and padding are not needed; most cuts are in the pixels.
  EXPECT_GT(refused, whole.size() / 4);
}

TEST_P(EveryFormat, SurvivesFlippedBytes) {
  const Bytes whole = FileBytes(GetParam());
  for (const uint8_t mask : {0x01, 0x80, 0xFF})
    for (size_t i = 0; i < whole.size(); i += 1 + whole.size() / 1500) {
      Bytes damaged = whole;
      damaged[i] ^= mask;
      MessageFor(damaged);
    }
}

TEST_P(EveryFormat, SurvivesSpreadDamage) {
  const Bytes whole = FileBytes(GetParam());
  uint32_t state = 1;
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int round = 0; round < 200; ++round) {
    Bytes damaged = whole;
    for (int i = 0; i < 8; ++i) damaged[next() % damaged.size()] = static_cast<uint8_t>(next());
    MessageFor(damaged);
  }
}

TEST(HostileJpeg, WithThousandsOfScansIsRefused) {
  const Bytes whole = FileBytes("jpeg_420_progressive.jpg");
  const uint8_t start_of_scan[] = {0xFF, 0xDA};
  const auto scan = std::find_end(whole.begin(), whole.end(), start_of_scan, start_of_scan + 2);
  const auto end = whole.end() - 2;  // before the end marker
  Bytes bytes(whole.begin(), scan);
  for (int i = 0; i < 2000; ++i) bytes.insert(bytes.end(), scan, end);
  bytes.insert(bytes.end(), end, whole.end());
  EXPECT_THAT(MessageFor(bytes), HasSubstr("JPEG: more than 500 scans"));
}

TEST(HostilePng, WithCompressedTextNeverUnpacksIt) {
  // 10 MB of text in 10 kB, and a chunk of garbage where a colour profile should be.
  EXPECT_EQ(MessageFor(FileBytes("hostile/ztxt_bomb.png")), "no error");
  EXPECT_EQ(MessageFor(FileBytes("hostile/iccp_bomb.png")), "no error");
}

TEST(HostilePng, IsStillOneWithAnArchiveBehindIt) {
  Bytes bytes = FileBytes("png_rgb8.png");
  const std::string archive = "PK\x03\x04 and so on";
  bytes.insert(bytes.end(), archive.begin(), archive.end());
  EXPECT_EQ(MessageFor(bytes), "no error");
}

TEST(HostilePng, IsNoneWithTextBeforeIt) {
  Bytes bytes = FileBytes("png_rgb8.png");
  const std::string text = "#!/bin/sh\n";
  bytes.insert(bytes.begin(), text.begin(), text.end());
  EXPECT_THAT(MessageFor(bytes), HasSubstr("not an image"));
}

TEST(HostilePng, WithoutAPaletteOrHeaderIsRefused) {
  Bytes bytes = FileBytes("png_palette8.png");
  const std::string name = "PLTE";
  const auto palette = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  bytes.erase(palette - 4, palette + 4 + 600 + 4);
  EXPECT_THAT(MessageFor(bytes), HasSubstr("Missing PLTE"));
  bytes = FileBytes("png_rgb8.png");
  bytes[12] = 'X';
  EXPECT_THAT(MessageFor(bytes), HasSubstr("the first chunk is not a header (IHDR)"));
}

}  // namespace
}  // namespace vernier
