#include "io/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/image_convert.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

const std::string kResizing = VERNIER_TEST_DATA "/resizing/";

// The data of a small .npy file; shape and dtype are known to the test.
std::vector<uint8_t> NpyData(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> all{std::istreambuf_iterator<char>(file), {}};
  const size_t header =
      10 + static_cast<uint8_t>(all.at(8)) + 256 * static_cast<uint8_t>(all.at(9));
  return {all.begin() + static_cast<std::ptrdiff_t>(header), all.end()};
}

std::vector<uint8_t> PixelsOf(const Image& image) {
  return {image.pixels.data(), image.pixels.data() + image.pixels.size()};
}

TEST(ResizeChannels, ReproducesTheThreeFlavoursExactly) {
  const Image photo = DecodeImage(kResizing + "vit_input.png");
  for (const char* flavour : {"torch8", "pillow", "pillow12"}) {
    SCOPED_TRACE(flavour);
    const Image resized = ResizeChannels(photo, 224, 224, {.flavour = ResizeFlavourNamed(flavour)});
    EXPECT_EQ(PixelsOf(resized), NpyData(kResizing + "vit_" + flavour + ".npy"));
  }
}

TEST(ResizeChannels, GivesTheSameForAnyNumberOfThreads) {
  const Image photo = DecodeImage(kResizing + "vit_input.png");
  const Image one = ResizeChannels(photo, 99, 301, {.threads = 1});
  const Image three = ResizeChannels(photo, 99, 301, {.threads = 3});
  EXPECT_EQ(PixelsOf(one), PixelsOf(three));
}

}  // namespace
}  // namespace vernier
