// vernier run and eval with a model that finds objects, from flags to files.

#include <filesystem>

#include "io/image.h"
#include "io/json.h"
#include "io/png_writer.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string kModel = Golden("blendmask/lite_gn");
const std::string kPicture = kModel + "/image_0.png";

std::string Picture(const ScratchFolder& folder, const std::string& name, ImageMode mode,
                    int64_t height, int64_t width) {
  Image image = NewImage(mode, width, height);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels.data()[i] = static_cast<uint8_t>(i * 31 % 251);
  }
  WritePng(folder.path(name), image);
  return folder.path(name);
}

TEST(RunDetector, PrintsObjectsAndDrawsThemBesideTheirJson) {
  const ScratchFolder folder;
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--out", folder.path("overlay.png")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json expected = Json::ParseFile(kModel + "/instances.json");
  EXPECT_THAT(result.output, HasSubstr("image_0.png: " + std::to_string(expected.size())));
  EXPECT_THAT(result.output, HasSubstr("class 2"));
  const Image overlay = DecodeImage(folder.path("overlay.png"));
  EXPECT_EQ(overlay.height, 80);
  EXPECT_EQ(overlay.width, 100);
  const Json found = Json::ParseFile(folder.path("overlay.json"));
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found.items()[i].GetInt("category_id"), expected.items()[i].GetInt("category_id"));
    EXPECT_NEAR(found.items()[i].GetNumber("score"), expected.items()[i].GetNumber("score"), 1e-4);
  }
}

TEST(RunDetector, KeepsTheBestAndCallsThemByTheirNames) {
  const ScratchFolder folder;
  const Json config = Json::ParseFile(kModel + "/config.json");
  const int64_t classes = config.GetObject("MODEL").GetObject("FCOS").GetInt("NUM_CLASSES");
  std::string names;
  for (int64_t i = 0; i < classes; ++i) names += "thing" + std::to_string(i) + "\n";
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--max-detections", "2",
               "--class-names", folder.Write("names.txt", names), "--json", "-"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json json = Json::Parse(result.output, "output");
  EXPECT_THAT(json.GetArray("results").items()[0].GetArray("instances").items(), SizeIs(2));
  const SpawnResult shown = Vernier({"run", "--model", kModel, "--image", kPicture, "--class-names",
                                     folder.path("names.txt"), "--score-threshold", "0.5"});
  EXPECT_THAT(shown.output, HasSubstr("thing2"));
}

TEST(RunDetector, NamesConvolutionsByWinogradsFormAndDoesWithoutWhereTold) {
  const auto placement = [](const std::string& where) {
    return Vernier(
        {"run", "--model", kModel, "--image", kPicture, "--placement", "--winograd", where});
  };
  EXPECT_THAT(placement("always").output, HasSubstr("winograd_f4_f32"));
  EXPECT_THAT(placement("never").output, Not(HasSubstr("winograd")));
  const SpawnResult refused = placement("sometimes");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("--winograd: expected one of auto, always, never"));
}

TEST(RunDetector, CountsTheMapsThatAreReorderedBetweenLayouts) {
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--placement"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("maps reordered between layouts: 0"));
}

TEST(RunDetector, WritesBothForEveryPictureOfAFolder) {
  const ScratchFolder folder;
  const SpawnResult result = Vernier({"run", "--model", kModel, "--image", kPicture, "--image",
                                      Golden("blendmask/lite_bn") + "/image_0.png", "--batch", "2",
                                      "--out", folder.path("found")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const char* file : {"image_0.png", "image_0.json", "image_0-2.png", "image_0-2.json"}) {
    EXPECT_TRUE(std::filesystem::exists(folder.path("found") + "/" + file)) << file;
  }
}

TEST(RunDetector, TakesPicturesOfEveryShapeAndMode) {
  const ScratchFolder folder;
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--json", "-", "--image",
               Picture(folder, "one.png", ImageMode::kRGB, 1, 1), "--image",
               Picture(folder, "wide.png", ImageMode::kRGB, 10, 5000), "--image",
               Picture(folder, "tall.png", ImageMode::kRGB, 2000, 10), "--image",
               Picture(folder, "grey.png", ImageMode::kL, 30, 40)});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json json = Json::Parse(result.output, "output");
  ASSERT_THAT(json.GetArray("results").items(), SizeIs(4));
  EXPECT_EQ(json.GetArray("results").items()[1].GetInt("width"), 5000);
}

TEST(RunDetector, SucceedsWhereNothingIsFound) {
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--score-threshold", "1"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("image_0.png: 0 objects"));
}

TEST(RunDetector, RefusesPlacesToWriteThatDoNotFit) {
  const auto errors = [](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"run", "--model", kModel, "--image", kPicture};
    words.insert(words.end(), more.begin(), more.end());
    const SpawnResult result = Vernier(words);
    EXPECT_EQ(result.exit_code, 2);
    return result.errors;
  };
  EXPECT_THAT(errors({"--out", "x.jpg"}),
              HasSubstr("--out x.jpg: a detector writes .png or .json"));
  EXPECT_THAT(errors({"--out", "x.png", "--image", Golden("blendmask/lite_bn") + "/image_0.png"}),
              HasSubstr("an overlay shows one picture, and there are 2"));
  EXPECT_THAT(errors({"--score-threshold", "1.5"}),
              HasSubstr("--score-threshold: scores lie between 0 and 1"));
  EXPECT_THAT(errors({"--class-names", kPicture + ".none"}), HasSubstr("image_0.png.none"));
  EXPECT_THAT(errors({"--out", "x.png", "--json", "./x.json"}),
              HasSubstr("--out x.png writes x.json as well, as does --json"));
}

// The golden's own instances as the truth: what is found again scores 1.
TEST(EvalDetector, CountsAveragePrecisionAndGoesOnWhereItStopped) {
  const ScratchFolder folder;
  const Json found = Json::ParseFile(kModel + "/instances.json");
  std::string annotations;
  for (size_t i = 0; i < found.size(); ++i) {
    Json row = found.items()[i];
    row["id"] = static_cast<int64_t>(i + 1);
    row["iscrowd"] = 0;
    annotations += (i > 0 ? "," : "") + row.Compact();
  }
  const Json config = Json::ParseFile(kModel + "/config.json");
  const int64_t classes = config.GetObject("MODEL").GetObject("FCOS").GetInt("NUM_CLASSES");
  std::string categories;
  for (int64_t i = 0; i < classes; ++i) {
    categories += (i > 0 ? "," : "") + ("{\"id\":" + std::to_string(i)) + ",\"name\":\"thing" +
                  std::to_string(i) + "\"}";
  }
  const std::string set = folder.Write(
      "annotations.json",
      R"({"images":[{"id":0,"file_name":"image_0.png","height":80,"width":100}],"annotations":[)" +
          annotations + "],\"categories\":[" + categories + "]}");
  std::filesystem::copy_file(kPicture, folder.path("image_0.png"));
  const std::vector<std::string> words = {"eval",
                                          "--model",
                                          kModel,
                                          "--data",
                                          set,
                                          "--out",
                                          folder.path("found.jsonl"),
                                          "--json",
                                          folder.path("result.json"),
                                          "--gate",
                                          "mask_ap50>=1"};
  const SpawnResult first = Vernier(words);
  EXPECT_EQ(first.exit_code, 0) << first.errors << first.output;
  EXPECT_THAT(first.output, HasSubstr("detect: 1 of 1 samples (COCO instances)"));
  const SpawnResult again = Vernier(words);
  EXPECT_THAT(again.output, HasSubstr("1 from an earlier start"));
  const Json result = Json::ParseFile(folder.path("result.json"));
  EXPECT_EQ(result.GetString("task"), "detect");
}

}  // namespace
}  // namespace vernier
