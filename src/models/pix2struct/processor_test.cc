#include "models/pix2struct/processor.h"

#include <algorithm>
#include <cmath>

#include "io/font.h"
#include "io/npy.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/pix2struct/";

// max_abs and mean relative error, as the goldens define them.
void ExpectWithin(std::span<const float> found, std::span<const float> expected,
                  const Json& tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0, relative = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
    largest = std::max(largest, difference);
    relative += difference / (std::abs(expected[i]) + 1e-3) / static_cast<double>(found.size());
  }
  EXPECT_LE(largest, tolerance.GetNumber("max_abs"));
  EXPECT_LE(relative, tolerance.GetNumber("mre"));
}

Pix2StructProcessor ProcessorOf(const std::string& text, const ProcessorOverrides& overrides = {}) {
  const Json json = Json::Parse(text, "preprocessor_config.json");
  int64_t side = 768;
  if (const Json* size = json.Find("patch_size")) {
    side = 3 * size->GetInt("height") * size->GetInt("width");
  }
  return Pix2StructProcessor::FromJson(json, false, {side, 4096}, overrides);
}

std::vector<float> Processed(const Pix2StructProcessor& processor, const Image& image,
                             const PictureHeader& header = {}) {
  std::vector<float> out(static_cast<size_t>(processor.OutputShape().elements()));
  processor.Process(image, header, out);
  return out;
}

TEST(Pix2StructGrid, EqualsTheReferencesEverywhere) {
  const Json rows = Json::ParseFile(kGoldens + "pictures/case.json").Get("grid").GetArray("rows");
  ASSERT_EQ(rows.size(), 221u);
  for (const Json& row : rows.items()) {
    const auto at = [&](size_t i) { return row.items()[i].AsInt(); };
    const PatchGrid grid = GridOf(at(0), at(1), at(2), {at(3), at(4)});
    EXPECT_EQ(grid.rows, at(5)) << row.Compact();
    EXPECT_EQ(grid.columns, at(6)) << row.Compact();
  }
}

// Every kind of file and extreme shapes, at two sizes of patches.
TEST(Pix2StructPictures, BecomeTheGoldensPatches) {
  const Json golden = Json::ParseFile(kGoldens + "pictures/case.json");
  for (const Json& picture : golden.GetArray("pictures").items()) {
    const Image image = DecodeImage(kGoldens + "pictures/" + picture.GetString("file"));
    for (size_t set = 0; set < 2; ++set) {
      const Json& setting = golden.GetArray("settings").items()[set];
      const Json& expected = picture.GetArray("patches").items()[set];
      SCOPED_TRACE(expected.GetString("file"));
      Json config = Json::Object();
      config["max_patches"] = setting.GetInt("max_patches");
      config["patch_size"]["height"] = setting.GetInt("patch_height");
      config["patch_size"]["width"] = setting.GetInt("patch_width");
      const Pix2StructProcessor processor = ProcessorOf(config.Compact());
      const Tensor reference = ReadNpy(kGoldens + "pictures/" + expected.GetString("file"));
      const std::vector<float> patches = Processed(processor, image);
      ExpectWithin(patches, reference.as<float>(), expected.GetObject("tolerance"));
      Tensor batch(DType::kF32, {1, reference.shape()[0], reference.shape()[1]});
      std::ranges::copy(patches, batch.as<float>().begin());
      const std::vector<int64_t> mask = expected.GetInts("mask");
      EXPECT_TRUE(std::ranges::equal(PatchMask(batch).as<float>(), mask));
    }
  }
}

class Pix2StructCase : public ::testing::TestWithParam<const char*> {};

// Exact headers come from pictures of them, so that no font matters.
TEST_P(Pix2StructCase, GetsItsFlattenedPatchesAndMask) {
  const std::string at = kGoldens + GetParam() + "/";
  const Json golden = Json::ParseFile(at + "case.json");
  const Json config = Json::ParseFile(at + "config.json");
  const Pix2StructProcessor processor = Pix2StructProcessor::FromFolder(
      at, config.GetBool("is_vqa", false),
      {config.Get("vision_config").GetInt("patch_embed_hidden_size"), 64}, {});
  const Json& inputs = golden.GetObject("inputs");
  std::vector<float> batch;
  for (size_t i = 0; i < inputs.GetArray("images").size(); ++i) {
    const Image image = DecodeImage(at + inputs.GetStrings("images")[i]);
    PictureHeader header;
    Image drawn;
    if (inputs.Has("header_images")) {
      drawn = DecodeImage(at + inputs.GetStrings("header_images")[i]);
      header.image = &drawn;
    }
    const std::vector<float> patches = Processed(processor, image, header);
    batch.insert(batch.end(), patches.begin(), patches.end());
  }
  const Tensor expected = ReadNpy(at + "flattened_patches.npy");
  ExpectWithin(batch, expected.as<float>(),
               golden.Get("arrays").Get("flattened_patches").GetObject("tolerance"));
  const Tensor mask = ReadNpy(at + "attention_mask.npy");
  EXPECT_TRUE(std::ranges::equal(PatchMask(expected).as<float>(), mask.as<float>()));
}

INSTANTIATE_TEST_SUITE_P(Goldens, Pix2StructCase,
                         ::testing::Values("beams", "long_bin", "page_greedy", "pair_masks",
                                           "tied_odd", "vqa_header"),
                         [](const auto& golden) { return std::string(golden.param); });

TEST(Pix2StructProcessor, TakesTheFormatsDefaults) {
  const Pix2StructProcessor processor = ProcessorOf("{}");
  EXPECT_EQ(processor.config().max_patches, 2048);
  EXPECT_EQ(processor.OutputShape().ToString(), "[2048, 770]");
  EXPECT_TRUE(processor.config().normalize);
  EXPECT_FALSE(processor.config().is_vqa);
  EXPECT_EQ(ProcessorOf("{}", {.max_patches = 100}).config().max_patches, 100);
}

TEST(Pix2StructProcessor, LeavesLevelsAloneWithoutNormalisation) {
  Image image = NewImage(ImageMode::kRGB, 1, 1);
  std::fill_n(image.pixels.data(), 3, uint8_t{200});
  const auto patches =
      Processed(ProcessorOf(R"({"max_patches": 1, "do_normalize": false})"), image);
  EXPECT_EQ(patches[0], 1.0f);
  EXPECT_EQ(patches[1], 1.0f);
  EXPECT_NEAR(patches[2], 200.0f, 1e-4f);
}

TEST(Pix2StructProcessor, MakesAPictureOfOneColourZero) {
  Image image = NewImage(ImageMode::kRGB, 37, 23);
  std::fill_n(image.pixels.data(), image.pixels.size(), uint8_t{77});
  const auto patches = Processed(ProcessorOf(R"({"max_patches": 4})"), image);
  for (size_t i = 0; i < patches.size(); ++i) {
    if (i % 770 > 1) {
      ASSERT_EQ(patches[i], 0.0f);
    }
  }
}

TEST(Pix2StructProcessor, FillsAVeryWidePicturesOneRow) {
  const Pix2StructProcessor processor = ProcessorOf(R"({"max_patches": 2048})");
  const auto patches = Processed(processor, NewImage(ImageMode::kRGB, 20000, 30));
  EXPECT_EQ(patches[0], 1.0f);
  EXPECT_GT(patches[770], 0.0f);
}

PictureReport ReportOf(const Pix2StructProcessor& processor, const Image& image,
                       const PictureHeader& header = {}) {
  std::vector<float> out(static_cast<size_t>(processor.OutputShape().elements()));
  return processor.Process(image, header, out);
}

TEST(Pix2StructProcessor, WarnsOfClipped16BitGreyAndRescalesItWhenTold) {
  const Image image = DecodeImage(kGoldens + "pictures/gray16.png");
  EXPECT_THAT(ReportOf(ProcessorOf(R"({"max_patches": 4})"), image).warnings,
              Contains(HasSubstr("16-bit grey is clipped to 255")));
  const PictureReport told =
      ReportOf(ProcessorOf(R"({"max_patches": 4})", {.rescale_16bit = true}), image);
  EXPECT_TRUE(told.warnings.empty());
  EXPECT_THAT(told.steps, Contains("16-bit grey rescaled to 8 bits"));
}

TEST(Pix2StructProcessor, LaysTransparencyOverWhite) {
  Image image = NewImage(ImageMode::kRGBA, 2, 1);
  const uint8_t pixels[] = {0, 0, 0, 0, 10, 20, 30, 255};
  std::copy_n(pixels, sizeof pixels, image.pixels.data());
  EXPECT_THAT(ReportOf(ProcessorOf(R"({"max_patches": 2})"), image).steps,
              Contains("laid over white"));
}

void ExpectRefused(const Pix2StructProcessor& processor, const Image& image,
                   const PictureHeader& header, const std::string& message,
                   const std::string& hint) {
  try {
    ReportOf(processor, image, header);
    ADD_FAILURE() << "accepted: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.message(), HasSubstr(message));
    EXPECT_THAT(error.hint(), HasSubstr(hint));
  }
}

TEST(Pix2StructProcessor, RefusesIdsBeyondThePositionTables) {
  ExpectRefused(ProcessorOf(R"({"max_patches": 4096})"), NewImage(ImageMode::kRGB, 1, 5000), {},
                "gets a grid of 4096x1 patches from max_patches = 4096, but the model's position "
                "tables (seq_len) end at 4095",
                "use --max-patches 4095 or fewer");
}

TEST(Pix2StructProcessor, AsksForTheQuestionThatAVqaModelNeeds) {
  const Pix2StructProcessor vqa = ProcessorOf(R"({"max_patches": 4, "is_vqa": true})");
  const Image image = NewImage(ImageMode::kRGB, 20, 10);
  ExpectRefused(vqa, image, {}, "none was given", "--prompt");
  ExpectRefused(vqa, image, {.question = " \n"}, "the question is empty", "--allow-empty");
  ExpectRefused(ProcessorOf("{}"), image, {.image = &image}, "reads no question", "--header-image");
}

TEST(Pix2StructProcessor, DrawsAnEmptyQuestionWhenAllowed) {
  if (FindFontFile("DejaVuSans.ttf").empty()) GTEST_SKIP() << "DejaVuSans.ttf is not here";
  const Pix2StructProcessor vqa =
      ProcessorOf(R"({"max_patches": 4, "is_vqa": true})", {.allow_empty = true});
  // The white square becomes as wide, and so as high, as the picture is wide.
  EXPECT_THAT(ReportOf(vqa, NewImage(ImageMode::kRGB, 20, 10), {.question = ""}).steps,
              Contains(HasSubstr("resized 30x20 to ")));
}

TEST(Pix2StructProcessor, RefusesConfigurationsThatDoNotFit) {
  const auto parse = [](const char* text) {
    return [text] {
      Pix2StructProcessor::FromJson(Json::Parse(text, "preprocessor_config.json"), false,
                                    {768, 4096}, {});
    };
  };
  using ::testing::ThrowsMessage;
  EXPECT_THAT(parse(R"({"patch_size": {"height": 8, "width": 8}})"),
              ThrowsMessage<Error>(HasSubstr("patches of 8x8 pixels have 192 numbers, but the "
                                             "model's patch_embed_hidden_size is 768")));
  EXPECT_THAT(parse(R"({"image_processor_type": "ViTImageProcessor"})"),
              ThrowsMessage<Error>(HasSubstr("is 'ViTImageProcessor'")));
  EXPECT_THAT(parse(R"({"max_patches": 0})"),
              ThrowsMessage<Error>(HasSubstr("max_patches is 0, expected 1 to 262144")));
  EXPECT_THAT(parse(R"({"header_font": "../up.ttf"})"),
              ThrowsMessage<Error>(HasSubstr("the name of a font file was expected")));
}

}  // namespace
}  // namespace vernier
