#include "pipeline/image_processor.h"

#include <cmath>
#include <cstring>

#include "io/npy.h"
#include "pipeline/processor_config.h"
#include "vernier/error.h"

namespace vernier {
namespace {

const std::string kGoldens = std::string(VERNIER_TEST_DATA) + "/goldens/";

// Exact equality with an array of [height, width, 3] bytes.
void ExpectEqualPixels(const Image& pixels, const std::string& file) {
  const Tensor expected = ReadNpy(file);
  ASSERT_EQ(expected.dtype(), DType::kU8);
  ASSERT_EQ(expected.shape(), (Shape{pixels.height, pixels.width, 3})) << file;
  EXPECT_EQ(std::memcmp(pixels.row(0), expected.data(), expected.bytes()), 0) << file;
}

ImageProcessor Timm(const char* config) {
  return TimmProcessor(Json::Parse(config, "config.json"), 84, 84);
}

TEST(ImageProcessor, ResizesInAllThreeFlavoursAsThePublishedProcessorsDo) {
  const std::string folder = kGoldens + "vit/preprocess_224/";
  const Json config = Json::ParseFile(folder + "preprocessor_config.json");
  for (const char* flavour : {"torch8", "pillow", "pillow12"}) {
    const ImageProcessor processor =
        WithChoices(VitProcessor(config, 224, 224), {.flavour = ResizeFlavourNamed(flavour)});
    const Image pixels = ResizedPixels(DecodeImage(folder + "input_0.png"), processor, "input");
    ExpectEqualPixels(pixels, folder + "resized_u8_" + flavour + ".npy");
  }
}

TEST(ImageProcessor, TreatsEveryPictureModeAsTheEncodersPipelinesDo) {
  const std::string folder = kGoldens + "pe_lang/preprocess_modes/";
  const std::vector<std::pair<std::string, ImageProcessor>> pipelines = {
      {"meta_squash", EncoderProcessor("meta-squash", 84, 84)},
      {"meta_crop", EncoderProcessor("meta-crop", 84, 84)},
      {"timm_default", Timm(R"({"interpolation": "bicubic"})")},
      {"timm_squash", Timm(R"({"interpolation": "bilinear", "crop_mode": "squash"})")}};
  for (const auto& [how, processor] : pipelines) {
    for (const std::string picture : {"rgb", "gray", "rgba", "palette", "wide"}) {
      ExpectEqualPixels(ResizedPixels(DecodeImage(folder + picture + ".png"), processor, picture),
                        folder + how + "." + picture + ".npy");
    }
  }
}

TEST(ImageProcessor, RefusesAPictureThatTheReferenceRefuses) {
  const ImageProcessor processor = VitProcessor(Json(), 84, 84);
  const std::string gray = kGoldens + "pe_lang/preprocess_modes/gray.png";
  try {
    PixelValues(DecodeImage(gray), processor, "gray.png");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "gray.png: expected an RGB picture, found mode L");
    EXPECT_THAT(error.hint(), testing::HasSubstr("--convert-rgb"));
  }
  const ImageProcessor converting = WithChoices(processor, {.convert_rgb = true});
  EXPECT_EQ(PixelValues(DecodeImage(gray), converting, "gray.png").shape(), (Shape{3, 84, 84}));
}

TEST(ImageProcessor, RoundsInTheOrderOfTheChosenReference) {
  Image pixel = NewImage(ImageMode::kRGB, 1, 1);
  const uint8_t levels[] = {0, 100, 255};
  std::memcpy(pixel.row(0), levels, sizeof(levels));
  ImageProcessor processor;
  processor.mean = {0.485, 0.456, 0.406};
  processor.std = {0.229, 0.224, 0.225};
  float fused[3];
  ScalePixels(pixel, processor, fused);
  EXPECT_EQ(fused[1], (100.0f - 0.456f * 255.0f) / (0.224f * 255.0f));
  processor.scale = ScaleRule::kRescale;
  float rescaled[3];
  ScalePixels(pixel, processor, rescaled);
  EXPECT_EQ(rescaled[1], (static_cast<float>(100 * (1.0 / 255)) - 0.456f) / 0.224f);
  processor.scale = ScaleRule::kDivide;
  float divided[3];
  ScalePixels(pixel, processor, divided);
  EXPECT_EQ(divided[1], (100.0f / 255.0f - 0.456f) / 0.224f);
}

TEST(ProcessorConfig, ReadsTheSizesThatPublishedFilesHave) {
  const auto size = [](const char* text) {
    const ImageProcessor processor = VitProcessor(Json::Parse(text, "p.json"), 1, 1);
    return std::pair(processor.height, processor.width);
  };
  EXPECT_EQ(size(R"({"size": 42})"), std::pair(int64_t{42}, int64_t{42}));
  EXPECT_EQ(size(R"({"size": {"height": 24, "width": 40}})"), std::pair(int64_t{24}, int64_t{40}));
  EXPECT_EQ(size(R"({"size": [24, 40]})"), std::pair(int64_t{24}, int64_t{40}));
  EXPECT_EQ(size("{}"), std::pair(int64_t{1}, int64_t{1}));
}

TEST(ProcessorConfig, NamesTheFieldThatCannotBeUsed) {
  const auto message = [](const char* text) -> std::string {
    try {
      VitProcessor(Json::Parse(text, "p.json"), 1, 1);
    } catch (const Error& error) {
      return error.message();
    }
    return "accepted";
  };
  EXPECT_THAT(message(R"({"size": 0})"), testing::HasSubstr("size: expected 1 to 16384 pixels"));
  EXPECT_THAT(message(R"({"size": {"height": 24, "width": 99999}})"),
              testing::HasSubstr("width: expected 1 to 16384 pixels, found 99999"));
  EXPECT_THAT(message(R"({"size": [1, 2, 3]})"), testing::HasSubstr("expected [height, width]"));
  EXPECT_THAT(message(R"({"image_mean": [0.5]})"), testing::HasSubstr("expected 3 numbers"));
  EXPECT_THAT(message(R"({"image_std": [0.5, 0, 1]})"), testing::HasSubstr("image_std"));
  EXPECT_THAT(message(R"({"rescale_factor": 0})"), testing::HasSubstr("rescale_factor"));
}

TEST(ProcessorConfig, RefusesWhatAPipelineCannotDo) {
  EXPECT_THROW(EncoderProcessor("other", 84, 84), Error);
  EXPECT_THROW(WithChoices(EncoderProcessor("meta-crop", 84, 84), {.width = 42}), Error);
  EXPECT_THROW(WithChoices(EncoderProcessor("timm", 84, 84), {.flavour = ResizeFlavour::kTorch8}),
               Error);
  EXPECT_THROW(Timm(R"({"crop_pct": 0.9})"), Error);
  EXPECT_THROW(Timm(R"({"crop_mode": "border"})"), Error);
}

TEST(ImageProcessor, SaysWhatItDid) {
  EXPECT_EQ(EncoderProcessor("meta-crop", 448, 448).Describe(),
            "meta-crop: bilinear (pillow) to 448x448 with centre crop, RGB after resize");
}

}  // namespace
}  // namespace vernier
