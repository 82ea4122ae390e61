// Holds every reader to Pillow's answer, pixel by pixel, over the pictures in tests/data/images.
#include "io/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "io/image_convert.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

std::string PathOf(const std::string& name) {
  return std::string(VERNIER_TEST_DATA "/images/") + name;
}

std::string Fnv(const uint8_t* data, size_t size) {
  uint64_t value = 0xCBF29CE484222325;
  for (size_t i = 0; i < size; ++i) value = (value ^ data[i]) * 0x100000001B3;
  char text[17];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string Fnv(const Image& image) { return Fnv(image.pixels.data(), image.pixels.size()); }

std::string TransparencyOf(const Image& image) {
  std::string text;
  for (const uint16_t value : image.transparency)
    text += (text.empty() ? "" : ",") + std::to_string(value);
  return text.empty() ? "-" : text;
}

// One line of expected.txt as tools/image_expectations.py writes it.
std::string Describe(const std::string& name) {
  const Image image = DecodeImage(PathOf(name));
  std::ostringstream line;
  line << name << ' ' << Name(image.mode) << ' ' << image.width << ' ' << image.height << ' '
       << image.exif_orientation << ' ' << image.frames << ' ' << Fnv(image) << ' '
       << (image.mode == ImageMode::kP ? Fnv(image.palette.data(), image.palette.size()) : "-");
  line << ' ' << Fnv(ConvertToRgb(image)) << ' ' << Fnv(ApplyExifOrientation(image)) << ' '
       << TransparencyOf(image);
  return line.str();
}

// What Pillow takes and this library refuses: pixels whose checksum says that they are damaged, and
// colour spaces that no processor here has a use for.
const std::set<std::string> kStricter = {"png_bad_crc_idat.png", "tiff_lab.tiff",
                                         "tiff_ycbcr.tiff"};

TEST(DecodeImage, AgreesWithPillowPixelByPixel) {
  std::ifstream expected(PathOf("expected.txt"));
  int compared = 0;
  for (std::string line; std::getline(expected, line);) {
    const std::string name = line.substr(0, line.find(' '));
    SCOPED_TRACE(name);
    if (line == name + " error" || kStricter.contains(name)) {
      EXPECT_THROW(DecodeImage(PathOf(name)), Error);
      continue;
    }
    ++compared;
    try {
      EXPECT_EQ(Describe(name), line);
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GT(compared, 150);
}

std::string MessageFor(const std::string& name, const ImageDecodeOptions& options = {}) {
  try {
    DecodeImage(PathOf(name), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

TEST(DecodeImage, SaysWhatAFileIsThatIsNoImage) {
  EXPECT_THAT(MessageFor("bad_text.png"), HasSubstr("bad_text.png: not an image: it is a text"));
  EXPECT_THAT(MessageFor("bad_html.jpg"), HasSubstr("it is an HTML page"));
  EXPECT_THAT(MessageFor("bad_empty.png"), HasSubstr("the file is empty"));
}

TEST(DecodeImage, RefusesHeadersOfMorePixelsThanTheLimit) {
  for (const char* name : {"bad_png_60000x60000.png", "bad_jpeg_60000x60000.jpg"}) {
    EXPECT_THAT(MessageFor(name), HasSubstr("the header says 60000x60000 pixels"));
    EXPECT_THAT(MessageFor(name), HasSubstr("--max-image-pixels"));
  }
}

TEST(DecodeImage, RefusesHeadersThatTheFileIsTooSmallToHold) {
  ImageDecodeOptions generous;
  generous.max_pixels = int64_t{1} << 40;
  EXPECT_THAT(MessageFor("bad_png_60000x60000.png", generous), HasSubstr("bytes cannot hold"));
  EXPECT_THAT(MessageFor("bad_jpeg_60000x60000.jpg", generous), HasSubstr("bytes cannot hold"));
}

TEST(DecodeImage, WarnsAboveHalfOfTheLimit) {
  ImageDecodeOptions options;
  options.max_pixels = 37 * 29 + 1;
  const Image image = DecodeImage(PathOf("png_rgb8.png"), options);
  ASSERT_EQ(image.warnings.size(), 1U);
  EXPECT_THAT(image.warnings[0], HasSubstr("37x29 pixels are more than half of the limit"));
  EXPECT_TRUE(DecodeImage(PathOf("png_rgb8.png")).warnings.empty());
}

TEST(DecodeImage, RefusesZeroSizes) {
  EXPECT_THAT(MessageFor("bad_png_0x5.png"), HasSubstr("PNG: the header says 0x5 pixels"));
  EXPECT_THAT(MessageFor("bad_jpeg_0x37.jpg"), HasSubstr("JPEG: "));
}

TEST(DecodeImage, NamesDamage) {
  EXPECT_THAT(MessageFor("png_truncated.png"), HasSubstr("PNG: truncated"));
  EXPECT_THAT(MessageFor("jpeg_truncated_half.jpg"), HasSubstr("JPEG: truncated"));
  EXPECT_THAT(MessageFor("jpeg_truncated_eoi.jpg"), HasSubstr("JPEG: truncated"));
  EXPECT_THAT(MessageFor("png_bad_crc_idat.png"), HasSubstr("PNG: IDAT: CRC error"));
  EXPECT_THAT(MessageFor("bad_png_depth3.png"), HasSubstr("PNG: Invalid IHDR data"));
}

TEST(DecodeImage, NamesDamageInEveryFormat) {
  EXPECT_THAT(MessageFor("webp_truncated.webp"), HasSubstr("WebP: truncated or damaged"));
  EXPECT_THAT(MessageFor("tiff_truncated_data.tiff"), HasSubstr("TIFF: truncated or damaged"));
  EXPECT_THAT(MessageFor("tiff_truncated_lzw.tiff"), HasSubstr("TIFF: truncated or damaged"));
  EXPECT_THAT(MessageFor("bmp_truncated.bmp"), HasSubstr("BMP: truncated"));
  EXPECT_THAT(MessageFor("pnm_truncated.ppm"), HasSubstr("PPM: truncated"));
  EXPECT_THAT(MessageFor("bad_pnm_zero.ppm"), HasSubstr("PPM: the header says 0x5 pixels"));
  EXPECT_THAT(MessageFor("bad_pnm_max0.pgm"), HasSubstr("greatest level is 0; 1 to 65535"));
  EXPECT_THAT(MessageFor("bad_bmp_huge.bmp"), HasSubstr("BMP: the header says 60000x60000"));
  EXPECT_THAT(MessageFor("bad_pnm_huge.ppm"), HasSubstr("PPM: the header says 60000x60000"));
}

TEST(DecodeImage, NamesTheLayoutsThatItDoesNotRead) {
  EXPECT_THAT(MessageFor("tiff_lab.tiff"), HasSubstr("TIFF: CIE LAB pixels of 3 samples"));
  EXPECT_THAT(MessageFor("tiff_ycbcr.tiff"), HasSubstr("TIFF: YCbCr pixels of 3 samples"));
  EXPECT_THAT(MessageFor("pnm_p7_rgba.pam"), HasSubstr("not an image"));
}

TEST(DecodeImage, ReadsAnyPageOfATiff) {
  const Image first = DecodeImage(PathOf("tiff_multipage.tiff"));
  const Image third = DecodeImage(PathOf("tiff_multipage.tiff"), {.page = 2});
  EXPECT_EQ(first.frames, 3);
  EXPECT_NE(Fnv(first), Fnv(third));
  EXPECT_THAT(MessageFor("tiff_multipage.tiff", {.page = 3}),
              HasSubstr("page 3 was asked for, but there are 3 (counted from 0)"));
}

TEST(DecodeImage, NeverFetchesUrls) {
  for (const char* url : {"http://example.com/a.png", "https://example.com/a.png",
                          "data:image/png;base64,iVBORw0KGgo=", "file:///etc/passwd"}) {
    try {
      DecodeImage(std::string(url));
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("images are read from files"));
    }
  }
}

}  // namespace
}  // namespace vernier
