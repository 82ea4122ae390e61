#include "models/blendmask/processor.h"

#include <algorithm>
#include <cstring>

#include "support/blendmask_golden.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

Image Picture(int64_t height, int64_t width, ImageMode mode = ImageMode::kRGB) {
  Image image = NewImage(mode, width, height);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels.data()[i] = static_cast<uint8_t>(i * 37 + i / 11);
  }
  return image;
}

std::vector<float> Processed(const BlendMaskProcessor& processor, const Image& image) {
  std::vector<float> out(static_cast<size_t>(processor.OutputShape(image).elements()), -1.0F);
  processor.Process(image, out);
  return out;
}

BlendMaskConfig Published() { return {}; }

TEST(ShortestEdgeSize, EqualsTheReferences) {
  const Json notes = Json::ParseFile(VERNIER_TEST_DATA "/goldens/blendmask/ops/case.json");
  for (const Json& row : notes.GetObject("parts").GetArray("shortest_edge").items()) {
    const std::vector<int64_t> from = row.GetInts("hw"), to = row.GetInts("out");
    const PictureSize size =
        ShortestEdgeSize({from[0], from[1]}, row.GetInt("min"), row.GetInt("max"));
    EXPECT_EQ(size, (PictureSize{to[0], to[1]})) << row.Compact();
  }
}

// The 8-bit pictures are exact and so is what is made of them: one subtraction, one division.
TEST(BlendMaskProcessor, MakesTheGoldensInputs) {
  for (const std::string& name : BlendMaskGoldenNames()) {
    const BlendMaskGolden golden(name);
    const BlendMaskProcessor processor(golden.config, {.threads = 3});
    for (int64_t i = 0; i < golden.pictures(); ++i) {
      SCOPED_TRACE(name + " " + std::to_string(i));
      const Image image = DecodeImage(golden.folder + "/image_" + std::to_string(i) + ".png");
      const PictureSize size = processor.NetworkSize(image);
      EXPECT_EQ(size, golden.Size("network_sizes_hw", i));
      const std::vector<float> out = Processed(processor, image);
      const Tensor resized = golden.Array("resized_" + std::to_string(i));
      const std::span<const uint8_t> levels = resized.as<uint8_t>();
      const Shape shape = processor.OutputShape(image);
      int64_t wrong = 0;
      for (int64_t c = 0; c < 3; ++c) {
        const auto channel = static_cast<size_t>(c);
        for (int64_t y = 0; y < shape[1]; ++y) {
          for (int64_t x = 0; x < shape[2]; ++x) {
            float expected = 0;
            if (y < size.height && x < size.width) {
              const float level = levels[static_cast<size_t>((y * size.width + x) * 3 + c)];
              expected =
                  (level - golden.config.pixel_mean[channel]) / golden.config.pixel_std[channel];
            }
            wrong += out[static_cast<size_t>((c * shape[1] + y) * shape[2] + x)] != expected;
          }
        }
      }
      EXPECT_EQ(wrong, 0);
    }
  }
}

TEST(BlendMaskProcessor, EqualsTheGoldensDumpsWithTheirPadding) {
  const BlendMaskGolden golden("r50_gn");
  const BlendMaskProcessor processor(golden.config, {});
  const std::vector<float> out = Processed(processor, DecodeImage(golden.folder + "/image_0.png"));
  const Tensor input = golden.Dump("input");
  ASSERT_EQ(input.shape(), (Shape{1, 3, 96, 128}));
  EXPECT_TRUE(std::ranges::equal(out, input.as<float>()));
}

TEST(BlendMaskProcessor, KeepsExtremeShapesThatLeaveAPixel) {
  const BlendMaskProcessor processor(Published(), {});
  EXPECT_EQ(processor.OutputShape(Picture(2000, 10)), (Shape{3, 1344, 32}));
  EXPECT_EQ(processor.OutputShape(Picture(10, 5000)), (Shape{3, 32, 1344}));
  EXPECT_EQ(processor.OutputShape(Picture(1, 1)), (Shape{3, 800, 800}));
}

TEST(BlendMaskProcessor, RefusesPicturesOfWhichNothingIsLeft) {
  const BlendMaskProcessor processor(Published(), {});
  try {
    processor.NetworkSize(Picture(1, 5000));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.message(), HasSubstr("1x5000 pixels would become 0x1333"));
  }
}

TEST(BlendMaskProcessor, TurnsPicturesUprightAndReportsIt) {
  BlendMaskConfig config = Published();
  config.min_size = config.max_size = 32;
  const BlendMaskProcessor processor(config, {});
  Image image = Picture(16, 32);
  const std::vector<float> as_stored = Processed(processor, image);
  EXPECT_EQ(processor.OutputShape(image), (Shape{3, 32, 32}));
  EXPECT_EQ(processor.NetworkSize(image), (PictureSize{16, 32}));
  image.exif_orientation = 6;
  EXPECT_EQ(processor.NetworkSize(image), (PictureSize{32, 16}));
  std::vector<float> out(as_stored.size());
  const PictureReport report = processor.Process(image, out);
  EXPECT_THAT(report.steps, Contains("turned upright (EXIF 6)"));
  EXPECT_EQ(report.network_size, (PictureSize{32, 16}));
  // A quarter turn to the right: the lower left corner becomes the upper left one.
  EXPECT_EQ(out[0], as_stored[15 * 32]);
}

TEST(BlendMaskProcessor, MakesThreeChannelsOfGreyAndDropsAlpha) {
  BlendMaskConfig config = Published();
  config.min_size = config.max_size = 32;
  const BlendMaskProcessor processor(config, {});
  const Image grey = Picture(32, 32, ImageMode::kL);
  const std::vector<float> out = Processed(processor, grey);
  const float level = grey.pixels.data()[5];
  EXPECT_EQ(out[5], level - config.pixel_mean[0]);
  EXPECT_EQ(out[5 + 2 * 32 * 32], level - config.pixel_mean[2]);
  const Image clear = Picture(32, 32, ImageMode::kRGBA);
  EXPECT_EQ(Processed(processor, clear)[0], clear.pixels.data()[2] - config.pixel_mean[0]);
}

TEST(BlendMaskProcessor, StretchesToAFixedSizeAndPadsWhatDoesNotDivide) {
  BlendMaskConfig config = Published();
  config.fixed_height = 40;
  config.fixed_width = 64;
  const BlendMaskProcessor processor(config, {});
  EXPECT_EQ(processor.OutputShape(Picture(100, 20)), (Shape{3, 64, 64}));
  const BlendMaskProcessor larger(config, {.size = PictureSize{96, 96}});
  EXPECT_EQ(larger.NetworkSize(Picture(100, 20)), (PictureSize{96, 96}));
}

}  // namespace
}  // namespace vernier
