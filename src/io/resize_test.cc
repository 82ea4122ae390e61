#include "io/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "io/image_convert.h"
#include "io/npy.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

const std::string kGolden = VERNIER_TEST_DATA "/goldens/vit/preprocess_224/";

std::vector<uint8_t> PixelsOf(const Image& image) {
  return {image.pixels.data(), image.pixels.data() + image.pixels.size()};
}

TEST(ResizeChannels, ReproducesTheThreeFlavoursExactly) {
  const Image photo = DecodeImage(kGolden + "input_0.png");
  for (const char* flavour : {"torch8", "pillow", "pillow12"}) {
    SCOPED_TRACE(flavour);
    const Image resized = ResizeChannels(photo, 224, 224, {.flavour = ResizeFlavourNamed(flavour)});
    const Tensor expected = ReadNpy(kGolden + "resized_u8_" + flavour + ".npy");
    EXPECT_THAT(PixelsOf(resized), ::testing::ElementsAreArray(expected.as<uint8_t>()));
  }
}

std::string Fnv(const Image& image) {
  uint64_t value = 0xCBF29CE484222325;
  for (const uint8_t byte : PixelsOf(image)) value = (value ^ byte) * 0x100000001B3;
  return fmt::format("{:016x}", value);
}

ImageMode ModeNamed(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(ImageMode::kF); ++i)
    if (name == Name(static_cast<ImageMode>(i))) return static_cast<ImageMode>(i);
  ADD_FAILURE() << name;
  return ImageMode::kL;
}

// The pictures of tools/resize_expectations.py.
Image Noise(ImageMode mode, int64_t height, int64_t width) {
  Image image = NewImage(mode, width, height);
  uint32_t state = 1;
  const auto next = [&] {
    return static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  };
  for (size_t i = 0; i < static_cast<size_t>(width * height); ++i) {
    uint8_t* pixel = image.pixels.data() + i * static_cast<size_t>(BytesPerPixel(mode));
    const uint8_t first = next();
    if (BytesPerPixel(mode) == Channels(mode)) {
      *pixel = mode == ImageMode::k1 ? static_cast<uint8_t>(first >= 128 ? 255 : 0) : first;
      for (int c = 1; c < Channels(mode); ++c) pixel[c] = next();
      continue;
    }
    const int32_t level = first + 256 * next();
    const auto half = static_cast<uint16_t>(level);
    const auto real = static_cast<float>(level);
    if (mode == ImageMode::kI16) std::memcpy(pixel, &half, sizeof half);
    if (mode == ImageMode::kI) std::memcpy(pixel, &level, sizeof level);
    if (mode == ImageMode::kF) std::memcpy(pixel, &real, sizeof real);
  }
  return image;
}

// Compares every case of a file of expectations; how many there were.
int CompareWith(const std::string& file, bool antialias) {
  std::ifstream expected(std::string(VERNIER_TEST_DATA "/resizing/") + file);
  int compared = 0;
  std::string flavour, filter, mode, hash;
  int64_t height, width, to_height, to_width;
  while (expected >> flavour >> filter >> mode >> height >> width >> to_height >> to_width >>
         hash) {
    const Image image = Noise(ModeNamed(mode), height, width);
    const Image resized = ResizeInMode(image, to_height, to_width,
                                       {.flavour = ResizeFlavourNamed(flavour),
                                        .filter = ResizeFilterNamed(filter),
                                        .antialias = antialias});
    EXPECT_EQ(Fnv(resized), hash) << flavour << ' ' << filter << ' ' << mode << ' ' << height << 'x'
                                  << width << " to " << to_height << 'x' << to_width;
    ++compared;
  }
  return compared;
}

TEST(ResizeInMode, AgreesWithPillowAndTorchvisionInEveryModeAndFilter) {
  EXPECT_EQ(CompareWith("expected.txt", /*antialias=*/true), 384);
}

TEST(ResizeInMode, AgreesWithPillowAndTorchvisionWithoutAntialias) {
  EXPECT_EQ(CompareWith("expected_narrow.txt", /*antialias=*/false), 300);
}

std::string RefusalOf(ImageMode mode, const ResizeOptions& options) {
  try {
    ResizeChannels(Noise(mode, 6, 5), 3, 4, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no refusal";
}

TEST(ResizeChannels, RefusesFiltersWithoutANarrowForm) {
  for (const ResizeFilter filter :
       {ResizeFilter::kBox, ResizeFilter::kHamming, ResizeFilter::kLanczos})
    for (const ResizeFlavour flavour : {ResizeFlavour::kTorch8, ResizeFlavour::kPillow})
      EXPECT_THAT(
          RefusalOf(ImageMode::kRGB, {.flavour = flavour, .filter = filter, .antialias = false}),
          HasSubstr(fmt::format("the {} filter of {} has no form without antialias", Name(filter),
                                Name(flavour))));
}

TEST(ResizeChannels, RefusesWideModesWithoutAntialias) {
  EXPECT_THAT(RefusalOf(ImageMode::kI16, {.antialias = false}),
              HasSubstr("takes 8-bit channels, and the picture's mode is I;16"));
}

TEST(ResizeOptions, NamesTheChoices) {
  EXPECT_THROW(
      {
        try {
          ResizeFlavourNamed("opencv");
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kUsage);
          EXPECT_THAT(error.what(), HasSubstr("unknown resize flavour 'opencv'"));
          EXPECT_THAT(error.what(), HasSubstr("torch8, pillow, pillow12"));
          throw;
        }
      },
      Error);
}

TEST(ResizeChannels, GivesTheSameForAnyNumberOfThreads) {
  const Image photo = DecodeImage(kGolden + "input_0.png");
  const Image one = ResizeChannels(photo, 99, 301, {.threads = 1});
  const Image three = ResizeChannels(photo, 99, 301, {.threads = 3});
  EXPECT_EQ(PixelsOf(one), PixelsOf(three));
}

TEST(ResizeChannels, GivesTheSameForAnyNumberOfThreadsWithoutAntialias) {
  const Image photo = DecodeImage(kGolden + "input_0.png");
  ResizeOptions options{.flavour = ResizeFlavour::kPillow, .threads = 1, .antialias = false};
  const Image one = ResizeChannels(photo, 99, 301, options);
  options.threads = 3;
  EXPECT_EQ(PixelsOf(one), PixelsOf(ResizeChannels(photo, 99, 301, options)));
}

}  // namespace
}  // namespace vernier
