#include "models/vit/processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/npy.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/vit/";

// The batch of all pictures of a golden case, as the processor makes it.
std::vector<float> ProcessCase(const std::string& name, const ProcessorOverrides& overrides,
                               int pictures) {
  const VitProcessor processor = VitProcessor::FromFolder(kGoldens + name, overrides);
  std::vector<float> batch;
  for (int i = 0; i < pictures; ++i) {
    const Image image = DecodeImage(kGoldens + name + "/input_" + std::to_string(i) + ".png");
    std::vector<float> values(static_cast<size_t>(processor.OutputShape(image).elements()));
    processor.Process(image, values);
    batch.insert(batch.end(), values.begin(), values.end());
  }
  return batch;
}

struct GoldenCase {
  const char* name;
  const char* file;
  ResizeFlavour flavour;
  int pictures;
};

class VitGoldens : public ::testing::TestWithParam<GoldenCase> {};

// Exact: the processor computes each level as the reference does, and resizing is integer.
TEST_P(VitGoldens, AreReproducedToTheLastBit) {
  const auto& golden = GetParam();
  const Tensor expected = ReadNpy(kGoldens + golden.name + "/" + golden.file);
  const auto values = ProcessCase(golden.name, {.flavour = golden.flavour}, golden.pictures);
  const auto reference = expected.as<float>();
  EXPECT_TRUE(std::equal(values.begin(), values.end(), reference.begin(), reference.end()));
}

constexpr auto kTorch8 = ResizeFlavour::kTorch8;
constexpr auto kPillow = ResizeFlavour::kPillow;
constexpr auto kPillow12 = ResizeFlavour::kPillow12;
INSTANTIATE_TEST_SUITE_P(
    Cases, VitGoldens,
    ::testing::Values(GoldenCase{"base_detail", "pixel_values.npy", kTorch8, 1},
                      GoldenCase{"base_detail", "pixel_values_pil.npy", kPillow, 1},
                      GoldenCase{"cls_batch2", "pixel_values.npy", kTorch8, 2},
                      GoldenCase{"cls_batch2", "pixel_values_pil.npy", kPillow, 2},
                      GoldenCase{"options", "pixel_values.npy", kTorch8, 3},
                      GoldenCase{"options", "pixel_values_pil.npy", kPillow, 3},
                      GoldenCase{"options", "pixel_values_pil12.npy", kPillow12, 3},
                      GoldenCase{"bin_no_head", "pixel_values.npy", kTorch8, 1},
                      GoldenCase{"bin_no_head", "pixel_values_pil.npy", kPillow, 1},
                      GoldenCase{"bin_no_head", "pixel_values_pil12.npy", kPillow12, 1}),
    [](const auto& golden) {
      return std::string(golden.param.name) + "_" + Name(golden.param.flavour);
    });

Json Parse(const std::string& text) { return Json::Parse(text, "preprocessor_config.json"); }

std::string MessageOf(const std::string& config) {
  try {
    VitProcessor::FromJson(Parse(config), {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

TEST(VitProcessor, FillsInWhatOldFilesLeaveOut) {
  const auto config = VitProcessor::FromJson(Parse("{}"), {}).config();
  EXPECT_EQ(config.size, (PictureSize{224, 224}));
  EXPECT_EQ(config.filter, ResizeFilter::kBilinear);
  EXPECT_EQ(config.flavour, ResizeFlavour::kTorch8);
  EXPECT_TRUE(config.resize && config.levels.rescale && config.levels.normalize);
}

TEST(VitProcessor, TakesOneNumberForBothSides) {
  const auto config = VitProcessor::FromJson(Parse(R"({"size": 42})"), {}).config();
  EXPECT_EQ(config.size, (PictureSize{42, 42}));
}

TEST(VitProcessor, ComputesWithPillowWhereTheTypeSaysSo) {
  const auto config =
      VitProcessor::FromJson(Parse(R"({"image_processor_type": "ViTImageProcessorPil"})"), {});
  EXPECT_EQ(config.config().flavour, ResizeFlavour::kPillow);
}

TEST(VitProcessor, RefusesOtherModesAndNamesTheFlag) {
  const VitProcessor processor = VitProcessor::FromJson(Parse("{}"), {});
  std::vector<float> out(3 * 224 * 224);
  const Image gray = NewImage(ImageMode::kL, 5, 5);
  try {
    processor.Process(gray, out);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("mode is L (1 channels per pixel)"));
    EXPECT_THAT(error.what(), HasSubstr("--convert-rgb"));
  }
}

TEST(VitProcessor, ConvertsOtherModesWhenTold) {
  const VitProcessor processor =
      VitProcessor::FromJson(Parse(R"({"size": 2})"), {.convert_rgb = true});
  Image gray = NewImage(ImageMode::kL, 2, 2);
  std::fill_n(gray.pixels.data(), 4, uint8_t{255});
  std::vector<float> out(12);
  const PictureReport report = processor.Process(gray, out);
  EXPECT_THAT(out, ::testing::Each(1.0F));
  EXPECT_THAT(report.steps, ElementsAre("converted to RGB", "not resized (2x2 already)"));
}

TEST(VitProcessor, ReportsWhatItDid) {
  const VitProcessor processor = VitProcessor::FromJson(
      Parse(R"({"size": 2})"), {.flavour = ResizeFlavour::kPillow, .apply_exif = true});
  Image image = NewImage(ImageMode::kRGB, 6, 3);
  std::fill_n(image.pixels.data(), image.pixels.size(), uint8_t{7});
  image.exif_orientation = 6;
  std::vector<float> out(12);
  EXPECT_THAT(processor.Process(image, out).steps,
              ElementsAre("turned upright (EXIF 6)",
                          "resized 6x3 to 2x2 (pillow, bilinear, height first)"));
}

TEST(VitProcessor, WarnsOfAnOrientationThatItLeavesAlone) {
  const VitProcessor processor = VitProcessor::FromJson(Parse(R"({"size": 2})"), {});
  Image image = NewImage(ImageMode::kRGB, 2, 2);
  image.exif_orientation = 3;
  std::vector<float> out(12);
  const PictureReport report = processor.Process(image, out);
  ASSERT_EQ(report.warnings.size(), 1U);
  EXPECT_THAT(report.warnings[0], HasSubstr("EXIF orientation 3 is not applied"));
}

TEST(VitProcessor, NamesWhatIsWrongInItsConfiguration) {
  EXPECT_THAT(MessageOf(R"({"size": 0})"), HasSubstr("size is 0; a side of 1 to 16384"));
  EXPECT_THAT(MessageOf(R"({"size": {"shortest_edge": 224}})"), HasSubstr("size.shortest_edge"));
  EXPECT_THAT(MessageOf(R"({"resample": 9})"), HasSubstr("unknown resample number 9"));
  EXPECT_THAT(MessageOf(R"({"image_mean": [0.5]})"), HasSubstr("image_mean has 1 entries"));
  EXPECT_THAT(MessageOf(R"({"image_std": [1, 0, 1]})"), HasSubstr("image_std has a zero"));
  EXPECT_THAT(MessageOf(R"({"rescale_factor": 0})"), HasSubstr("rescale_factor is 0"));
  EXPECT_THAT(MessageOf(R"({"do_center_crop": true})"), HasSubstr("never crops"));
  EXPECT_THAT(MessageOf(R"({"image_processor_type": "CLIPImageProcessor"})"),
              HasSubstr("image_processor_type is 'CLIPImageProcessor'"));
}

}  // namespace
}  // namespace vernier
