#include "io/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

TEST(ResizeChannels, GivesTheSameForAnyNumberOfThreads) {
  const Image photo = DecodeImage(kGolden + "input_0.png");
  const Image one = ResizeChannels(photo, 99, 301, {.threads = 1});
  const Image three = ResizeChannels(photo, 99, 301, {.threads = 3});
  EXPECT_EQ(PixelsOf(one), PixelsOf(three));
}

}  // namespace
}  // namespace vernier
