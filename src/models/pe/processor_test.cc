#include "models/pe/processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/npy.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

const std::string kGoldens = VERNIER_TEST_DATA "/goldens/pe_lang/";
constexpr PeCheckpointFacts kMeta{.image_size = 448};
constexpr PeCheckpointFacts kTimmLayout{.image_size = 448, .timm_layout = true};

// A checkpoint folder with just the given configuration files, removed afterwards.
class Folder {
 public:
  Folder() : path_(::testing::TempDir() + "pe_processor_" + std::to_string(getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(PeProcessor, ReproducesTheGoldensToTheLastBit) {
  struct Case {
    const char* name;
    const char* file;
    ResizeFlavour flavour;
    int pictures;
  };
  for (const Case& golden :
       {Case{"orig_resampled", "pixel_values.npy", ResizeFlavour::kPillow, 1},
        Case{"pair_timm", "pixel_values.npy", ResizeFlavour::kPillow, 1},
        Case{"timm_ref_grid", "pixel_values.npy", ResizeFlavour::kPillow, 2},
        Case{"timm_ref_grid", "pixel_values_pil12.npy", ResizeFlavour::kPillow12, 2}}) {
    SCOPED_TRACE(golden.name);
    const std::string folder = kGoldens + golden.name;
    const PeProcessor processor =
        PeProcessor::FromFolder(folder, kMeta, {.flavour = golden.flavour});
    const Tensor expected = ReadNpy(folder + "/" + golden.file);
    const auto size = static_cast<size_t>(processor.OutputShape().elements());
    ASSERT_EQ(expected.as<float>().size(), size * static_cast<size_t>(golden.pictures));
    for (int i = 0; i < golden.pictures; ++i) {
      std::vector<float> values(size);
      processor.Process(DecodeImage(folder + "/input_" + std::to_string(i) + ".png"), values);
      const auto part = expected.as<float>().subspan(size * static_cast<size_t>(i), size);
      EXPECT_TRUE(std::equal(values.begin(), values.end(), part.begin())) << "picture " << i;
    }
  }
}

// 8-bit levels back from values of (level / 255 - 0.5) / 0.5, [height, width, 3].
std::vector<uint8_t> LevelsOf(const std::vector<float>& values) {
  const size_t plane = values.size() / 3;
  std::vector<uint8_t> levels(values.size());
  for (size_t i = 0; i < plane; ++i)
    for (size_t c = 0; c < 3; ++c)
      levels[3 * i + c] = static_cast<uint8_t>(std::lround((values[c * plane + i] + 1) * 127.5F));
  return levels;
}

TEST(PeProcessor, TreatsEveryModeInEveryPipelineAsTheReference) {
  const PeProcessorConfig squash{.size = {84, 84}};
  PeProcessorConfig crop = squash, timm = squash, timm_squash = squash;
  crop.pipeline = PePipeline::kMetaCrop;
  timm.pipeline = timm_squash.pipeline = PePipeline::kTimm;
  timm.filter = ResizeFilter::kBicubic;
  timm_squash.squash = true;
  const std::string folder = kGoldens + "preprocess_modes/";
  for (const auto& [name, config] : {std::pair{"meta_squash", squash},
                                     {"meta_crop", crop},
                                     {"timm_default", timm},
                                     {"timm_squash", timm_squash}})
    for (const char* picture : {"rgb", "gray", "rgba", "palette", "wide"}) {
      const std::string expected_name = std::string(name) + "." + picture + ".npy";
      SCOPED_TRACE(expected_name);
      std::vector<float> values(3 * 84 * 84);
      PeProcessor(config).Process(DecodeImage(folder + picture + ".png"), values);
      const Tensor expected = ReadNpy(folder + expected_name);
      EXPECT_THAT(LevelsOf(values), ::testing::ElementsAreArray(expected.as<uint8_t>()));
    }
}

TEST(PeProcessor, SquashesByDefault) {
  const Folder folder;
  const auto config = PeProcessor::FromFolder(folder.path(), kMeta, {}).config();
  EXPECT_EQ(config.pipeline, PePipeline::kMetaSquash);
  EXPECT_EQ(config.size, (PictureSize{448, 448}));
  EXPECT_EQ(config.filter, ResizeFilter::kBilinear);
}

TEST(PeProcessor, FollowsTheRecordOfTimm) {
  const Folder folder;
  folder.Write("config.json", R"({"pretrained_cfg": {"input_size": [3, 70, 42],
      "interpolation": "lanczos", "crop_mode": "squash", "mean": [0, 0, 0], "std": [1, 1, 1]}})");
  const auto config = PeProcessor::FromFolder(folder.path(), kTimmLayout, {}).config();
  EXPECT_EQ(config.pipeline, PePipeline::kTimm);
  EXPECT_EQ(config.size, (PictureSize{70, 42}));
  EXPECT_EQ(config.filter, ResizeFilter::kLanczos);
  EXPECT_EQ(config.crop_pct, 0.875);
  EXPECT_TRUE(config.squash);
  EXPECT_EQ(config.std[1], 1.0);
  EXPECT_EQ(PeProcessor::FromFolder(folder.path(), kMeta, {}).config().pipeline,
            PePipeline::kMetaSquash);
}

TEST(PeProcessor, LetsTheUserChooseThePipeline) {
  const Folder folder;
  const auto config = PeProcessor::FromFolder(folder.path(), kMeta, {.pipeline = "timm"}).config();
  EXPECT_EQ(config.pipeline, PePipeline::kTimm);
  EXPECT_EQ(config.filter, ResizeFilter::kBicubic);
}

std::string MessageOf(const std::string& preprocessor_config) {
  const Folder folder;
  folder.Write("preprocessor_config.json", preprocessor_config);
  try {
    PeProcessor::FromFolder(folder.path(), kMeta, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

TEST(PeProcessor, NamesWhatIsWrongInItsConfiguration) {
  EXPECT_THAT(MessageOf("{}"), HasSubstr("pipeline is missing"));
  EXPECT_THAT(MessageOf(R"({"pipeline": "clip"})"), HasSubstr("unknown pipeline 'clip'"));
  EXPECT_THAT(MessageOf(R"({"pipeline": "timm", "crop_mode": "border"})"),
              HasSubstr("crop_mode 'border' is not supported"));
  EXPECT_THAT(MessageOf(R"({"pipeline": "timm", "crop_pct": 1.5})"),
              HasSubstr("crop_pct is 1.5; a share above 0 and up to 1"));
  EXPECT_THAT(MessageOf(R"({"pipeline": "timm", "interpolation": "random"})"),
              HasSubstr("unknown resize filter 'random'"));
  EXPECT_THAT(MessageOf(R"({"pipeline": "meta-crop", "size": [84, 42]})"),
              HasSubstr("meta-crop gives squares; the size is 84x42"));
  EXPECT_THAT(MessageOf(R"({"pipeline": "meta-squash", "size": [84]})"),
              HasSubstr("size has 1 numbers; height and width were expected"));
}

TEST(PeProcessor, RefusesStripsThatWouldBecomeEndless) {
  PeProcessorConfig config;
  config.pipeline = PePipeline::kMetaCrop;
  const Image strip = NewImage(ImageMode::kRGB, 65500, 1);
  std::vector<float> out(3 * 448 * 448);
  try {
    PeProcessor(config).Process(strip, out);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a 1x65500 picture would become 448x29344000"));
  }
}

}  // namespace
}  // namespace vernier
