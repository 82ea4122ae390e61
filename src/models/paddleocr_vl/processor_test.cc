#include "models/paddleocr_vl/processor.h"

#include <cmath>

#include "io/npy.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/paddleocr_vl/";
constexpr const char* kCases[] = {"one_image", "two_images", "batch2_left_padding", "original_keys",
                                  "options"};

PaddleOcrVlProcessor ProcessorFrom(const std::string& text,
                                   const ProcessorOverrides& overrides = {}) {
  return PaddleOcrVlProcessor::FromJson(Json::Parse(text, "preprocessor_config.json"), overrides);
}

Image Filled(ImageMode mode, int64_t height, int64_t width, uint8_t level = 255) {
  Image image = NewImage(mode, width, height);
  std::fill_n(image.pixels.data(), image.pixels.size(), level);
  return image;
}

// All pictures of a golden, one after the other, as the network gets them.
std::vector<float> PixelValues(const std::string& name, const ProcessorOverrides& overrides,
                               std::vector<int64_t>& grids) {
  const std::string folder = kGoldens + name;
  const Json config = Json::ParseFile(folder + "/preprocessor_config.json");
  const auto processor = PaddleOcrVlProcessor::FromFolder(folder, config.GetInt("patch_size"),
                                                          config.GetInt("merge_size"), overrides);
  std::vector<float> all;
  for (int i = 0; i < 2; ++i) {
    const std::string file = folder + "/input_" + std::to_string(i) + ".png";
    if (i == 1 && name != "two_images" && name != "batch2_left_padding") continue;
    const Image image = DecodeImage(file);
    const OcrGrid grid = processor.GridOf(image);
    grids.insert(grids.end(), {1, grid.rows, grid.columns});
    std::vector<float> out(static_cast<size_t>(processor.OutputShape(image).elements()));
    processor.Process(image, out);
    all.insert(all.end(), out.begin(), out.end());
  }
  return all;
}

void ExpectEqualPixels(const std::vector<float>& found, const std::string& file) {
  const Tensor expected = ReadNpy(file);
  ASSERT_EQ(found.size(), expected.as<float>().size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected.as<float>()[i], 1e-6) << file << " at " << i;
  }
}

TEST(PaddleOcrVlProcessor, MakesThePixelValuesAndGridsOfTheGoldens) {
  for (const char* name : kCases) {
    SCOPED_TRACE(name);
    std::vector<int64_t> grids;
    ExpectEqualPixels(PixelValues(name, {}, grids), kGoldens + name + "/pixel_values.npy");
    const Tensor expected = ReadNpy(kGoldens + name + "/image_grid_thw.npy");
    EXPECT_TRUE(std::ranges::equal(grids, expected.as<int64_t>()));
  }
}

TEST(PaddleOcrVlProcessor, HasTheArithmeticOfPillowToo) {
  std::vector<int64_t> grids;
  ExpectEqualPixels(PixelValues("one_image", {.flavour = ResizeFlavour::kPillow}, grids),
                    kGoldens + "one_image/pixel_values_pil.npy");
}

TEST(PaddleOcrVlProcessor, TakesLimitsFromTheRootBeforeSizeBeforeTheClass) {
  const auto limits = [](const std::string& text) {
    const SmartResizeLimits found = ProcessorFrom(text).config().limits;
    return std::vector{found.factor, found.min_pixels, found.max_pixels};
  };
  EXPECT_THAT(limits("{}"), ElementsAre(28, 147456, 2359296));
  EXPECT_THAT(limits(R"({"size": {"shortest_edge": 10, "longest_edge": 20}})"),
              ElementsAre(28, 10, 20));
  EXPECT_THAT(limits(R"({"size": {"min_pixels": 11, "max_pixels": 21}, "patch_size": 8})"),
              ElementsAre(16, 11, 21));
  EXPECT_THAT(limits(R"({"min_pixels": 12, "max_pixels": 22,
                         "size": {"shortest_edge": 10, "longest_edge": 20}})"),
              ElementsAre(28, 12, 22));
}

TEST(PaddleOcrVlProcessor, LetsTheUserSetLimits) {
  const auto processor =
      ProcessorFrom(R"({"min_pixels": 9000, "max_pixels": 90000})", {.max_pixels = 4000});
  EXPECT_EQ(processor.config().limits.min_pixels, 4000);
  EXPECT_EQ(processor.config().limits.max_pixels, 4000);
  EXPECT_THROW(ProcessorFrom("{}", {.min_pixels = 5, .max_pixels = 4}), Error);
  EXPECT_THROW(ProcessorFrom(R"({"min_pixels": 5, "max_pixels": 4})"), Error);
  EXPECT_THROW(ProcessorFrom(R"({"max_pixels": 0})"), Error);
}

TEST(PaddleOcrVlProcessor, LaysTransparencyOverWhiteOrDropsIt) {
  Image image = Filled(ImageMode::kRGBA, 392, 392, 0);  // black, all transparent
  std::vector<float> out(3 * 392 * 392);
  const std::string config = R"({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]})";
  const PictureReport white = ProcessorFrom(config).Process(image, out);
  EXPECT_FLOAT_EQ(out[0], 1.0f);
  EXPECT_THAT(white.steps, Contains("laid over white"));
  const PictureReport dropped = ProcessorFrom(config, {.drop_alpha = true}).Process(image, out);
  EXPECT_FLOAT_EQ(out[0], -1.0f);
  EXPECT_THAT(dropped.steps, Contains("converted to RGB"));
}

TEST(PaddleOcrVlProcessor, TurnsPicturesUprightAsTheirFileSays) {
  Image image = Filled(ImageMode::kRGB, 392, 784);
  image.exif_orientation = 6;
  const auto processor = ProcessorFrom("{}");
  EXPECT_EQ(processor.GridOf(image).rows, 56);
  EXPECT_EQ(processor.GridOf(image).columns, 28);
  std::vector<float> out(static_cast<size_t>(processor.OutputShape(image).elements()));
  EXPECT_THAT(processor.Process(image, out).steps, Contains("turned upright (EXIF 6)"));
}

TEST(PaddleOcrVlProcessor, WarnsWhereSmallTextMayBeLost) {
  const auto processor = ProcessorFrom(R"({"min_pixels": 3136, "max_pixels": 156800})");
  const auto warnings = [&](int64_t side) {
    const Image image = Filled(ImageMode::kL, side, side);
    std::vector<float> out(static_cast<size_t>(processor.OutputShape(image).elements()));
    return processor.Process(image, out).warnings;
  };
  EXPECT_THAT(warnings(784), IsEmpty());
  EXPECT_THAT(warnings(900), ElementsAre(HasSubstr("shrunk 2.3 times per side, from 900x900 to "
                                                   "392x392: small text may be lost")));
}

TEST(PaddleOcrVlProcessor, GivesEvenOnePixelAndOneColourAGrid) {
  const auto processor = ProcessorFrom("{}");
  const Image dot = Filled(ImageMode::k1, 1, 1);
  EXPECT_EQ(processor.GridOf(dot).tokens(), 196);
  std::vector<float> out(static_cast<size_t>(processor.OutputShape(dot).elements()));
  processor.Process(dot, out);
  EXPECT_TRUE(std::ranges::all_of(out, [](float value) { return std::isfinite(value); }));
}

TEST(PaddleOcrVlProcessor, RefusesAPictureThatIsTooNarrow) {
  try {
    ProcessorFrom("{}").GridOf(Filled(ImageMode::kL, 6000, 28));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "absolute aspect ratio must be smaller than 200, got 214.28571428571428");
    EXPECT_EQ(error.hint(), "the picture is 6000 pixels high and 28 wide: cut it into parts");
  }
}

TEST(PaddleOcrVlProcessor, DoublesSmallPicturesForSpotting) {
  const auto processor = ProcessorFrom(R"({"min_pixels": 112896, "max_pixels": 1003520})");
  const Image small = Filled(ImageMode::kL, 700, 700);
  EXPECT_EQ(processor.GridOf(small).rows, 50);
  EXPECT_EQ(processor.ForSpotting().GridOf(small).rows, 90);  // 1260 of 1400: 2048 tokens
  EXPECT_EQ(processor.ForSpotting().config().limits.max_pixels, 2048 * 784);
}

TEST(PaddleOcrVlProcessor, RefusesPatchesThatTheNetworkDoesNotTake) {
  try {
    PaddleOcrVlProcessor::FromFolder(kGoldens + "options", 14, 2, {});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("patches of 8 merged 2 by 2, but the model expects 14"));
  }
}

}  // namespace
}  // namespace vernier
