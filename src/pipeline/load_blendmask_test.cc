// BlendMask's folders as users have them: yaml beside a .pth, old files, wrong files.
#include <cmath>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "io/checkpoint.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "pipeline/make_random.h"
#include "support/blendmask_golden.h"
#include "support/scratch_folder.h"
#include "vernier/session.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string GoldenFolder(const std::string& name) {
  return VERNIER_TEST_DATA "/goldens/blendmask/" + name;
}

std::string Copied(const ScratchFolder& folder, const std::string& golden, const char* file) {
  std::filesystem::copy_file(GoldenFolder(golden) + "/" + file, folder.path(file));
  return folder.path(file);
}

// JSON is YAML, so a golden's config.json stands for AdelaiDet's file.
std::string Yaml(const std::string& golden) {
  return ReadAll(GoldenFolder(golden) + "/config.json");
}

TEST(BlendMaskFolder, OfEveryGoldenIsUnderstood) {
  for (const char* name : {"r50_gn", "r50_550_share", "rt_r50_bn_batch2", "rt_dla34", "lite_gn",
                           "lite_bn", "lite_bn_shared"}) {
    SCOPED_TRACE(name);
    const ModelSummary summary = SummarizeModel({.model = GoldenFolder(name)});
    EXPECT_EQ(summary.info.family, "blendmask");
    EXPECT_THAT(summary.info.warnings, IsEmpty());
    EXPECT_GT(summary.flops_per_image, 0);
  }
  EXPECT_EQ(SummarizeModel({.model = GoldenFolder("rt_dla34")}).info.architecture,
            "BlendMask, DLA-34");
  EXPECT_EQ(SummarizeModel({.model = GoldenFolder("lite_gn")}).info.height, 64);
  EXPECT_EQ(SummarizeModel({.model = GoldenFolder("r50_gn")}).info.width, 160);
}

TEST(BlendMaskFolder, MayHoldAdelaiDetsYamlBesideThePth) {
  const ScratchFolder folder;
  Copied(folder, "r50_gn", "model.pth");
  folder.Write("Base-BlendMask.yaml", Yaml("r50_gn"));
  folder.Write("R_50_1x.yaml", "_BASE_: Base-BlendMask.yaml\n");
  EXPECT_EQ(SummarizeModel({.model = folder.path()}).info.architecture, "BlendMask, ResNet-50");
}

TEST(BlendMaskFolder, TakesTheConfigurationThatIsNamed) {
  const ScratchFolder folder, elsewhere;
  const std::string weights = Copied(folder, "r50_gn", "model.pth");
  const std::string config = elsewhere.Write("any.yaml", Yaml("r50_gn"));
  EXPECT_EQ(SummarizeModel({.model = weights, .config = config}).info.family, "blendmask");
  folder.Write("one.yaml", Yaml("r50_gn"));
  folder.Write("two.yaml", Yaml("r50_gn"));
  EXPECT_THAT(MessageOf([&] { SummarizeModel({.model = folder.path()}); }),
              HasSubstr("there is no config.json, and several yaml files describe a model: "));
  EXPECT_EQ(SummarizeModel({.model = folder.path(), .config = config}).info.family, "blendmask");
}

TEST(BlendMaskFolder, WithoutAConfigurationIsRefusedByName) {
  const ScratchFolder folder;
  Copied(folder, "r50_gn", "model.pth");
  folder.Write("notes.yaml", "author: somebody");
  EXPECT_THAT(MessageOf([&] { SummarizeModel({.model = folder.path()}); }),
              HasSubstr("a BlendMask checkpoint without its yaml"));
  folder.Write("other.yaml", "MODEL: {META_ARCHITECTURE: CondInst}");
  EXPECT_THAT(MessageOf([&] { SummarizeModel({.model = folder.path()}); }),
              HasSubstr("MODEL.META_ARCHITECTURE: unknown model family 'CondInst'"));
}

TEST(BlendMaskFolder, SaysThatItLabelsNoWholePictures) {
  EXPECT_THAT(MessageOf([] { SummarizeModel({.model = GoldenFolder("lite_gn"), .labels = true}); }),
              HasSubstr("BlendMask finds objects and labels no whole pictures"));
}

// A golden's tensors, without some and with one more, as a safetensors file.
void WriteChanged(const ScratchFolder& folder, const std::string& golden,
                  const std::function<bool(const std::string&)>& keep, const char* more = nullptr) {
  const Checkpoint checkpoint = Checkpoint::Open(GoldenFolder(golden));
  std::vector<TensorToWrite> tensors;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    if (keep(tensor.name)) tensors.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  if (more != nullptr) tensors.push_back({more, DType::kF32, {1}});
  WriteSafetensors(folder.path("model.safetensors"), std::move(tensors),
                   [&](const TensorToWrite& wanted) {
                     if (!checkpoint.Has(wanted.name)) return Tensor(DType::kF32, {1});
                     return Tensor::CopyOf(checkpoint.View(wanted.name));
                   });
  folder.Write("config.json", Yaml(golden));
}

TEST(BlendMaskFolder, WithUnknownTensorsWarnsOnce) {
  const ScratchFolder folder;
  WriteChanged(
      folder, "lite_gn", [](auto&) { return true; }, "some.stranger");
  EXPECT_THAT(SummarizeModel({.model = folder.path()}).info.warnings,
              ElementsAre("1 tensor of the checkpoint is not used: some.stranger"));
}

TEST(BlendMaskFolder, WithoutATensorIsRefusedByItsName) {
  const ScratchFolder folder;
  WriteChanged(folder, "lite_gn", [](auto& name) { return name != "top_layer.bias"; });
  EXPECT_THAT(MessageOf([&] { SummarizeModel({.model = folder.path()}); }),
              HasSubstr("missing 1 tensor: top_layer.bias"));
}

// 0 and 1 stand for the statistics that old files of FrozenBN lack.
TEST(BlendMaskFolder, OfOldFrozenNormsNeedsNoStatistics) {
  const auto is_statistic = [](const std::string& name) {
    return name.starts_with("backbone.bottom_up.") &&
           (name.ends_with("running_mean") || name.ends_with("running_var"));
  };
  const ScratchFolder folder;
  WriteChanged(folder, "r50_gn", [&](auto& name) { return !is_statistic(name); });
  Session session({.model = folder.path(), .threads = 1});
  const NamedTensors outputs = session.Run(session.NoiseInputs({}));
  for (float value : outputs.at("bases").as<float>()) ASSERT_TRUE(std::isfinite(value));
}

TEST(BlendMaskFolder, RunsInBf16) {
  for (const char* name : {"lite_bn", "r50_gn", "rt_dla34"}) {
    SCOPED_TRACE(name);
    Session exact({.model = GoldenFolder(name), .threads = 1});
    Session half({.model = GoldenFolder(name), .dtype = "bf16", .threads = 1});
    const NamedTensors inputs = exact.NoiseInputs({.batch = 2});
    const NamedTensors expected = exact.Run(inputs), found = half.Run(inputs);
    double error = 0, power = 0;
    for (size_t i = 0; i < expected.at("bases").as<float>().size(); ++i) {
      const double value = expected.at("bases").as<float>()[i];
      const double difference = found.at("bases").as<float>()[i] - value;
      error += difference * difference;
      power += value * value;
    }
    // Some fifty layers, each rounding its operands by 2^-9.
    EXPECT_LT(error, power * 0.01);
  }
}

TEST(BlendMaskFolder, RunsItsLevelsAtTheSameTime) {
  Session serial({.model = GoldenFolder("lite_bn"), .threads = 2});
  Session parallel({.model = GoldenFolder("lite_bn"), .threads = 2, .parallel_branches = true});
  const NamedTensors inputs = serial.NoiseInputs({.batch = 2});
  const NamedTensors expected = serial.Run(inputs), found = parallel.Run(inputs);
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(std::ranges::equal(found.at(name).as<float>(), tensor.as<float>())) << name;
  }
  std::set<int> lanes;
  for (const PlacedNode& node : parallel.Placement(inputs)) lanes.insert(node.lane);
  EXPECT_EQ(lanes.size(), 2u);
}

// Timing wants maps like a trained model's: neither all objects nor none, and of one size.
TEST(BlendMaskFolder, OfRandomWeightsGivesMapsOfUsualSize) {
  for (const char* name : {"lite_gn", "lite_bn", "rt_dla34"}) {
    SCOPED_TRACE(name);
    const ScratchFolder folder;
    MakeRandomCheckpoint(GoldenFolder(name) + "/config.json", folder.path(), 1);
    Session session({.model = folder.path(), .threads = 1});
    const NamedTensors outputs = session.Run(session.NoiseInputs({}));
    for (const auto& [output, tensor] : outputs) {
      if (tensor.shape().elements() < 100) continue;  // too few values to tell
      double squares = 0;
      for (float value : tensor.as<float>()) squares += static_cast<double>(value) * value;
      const double size = std::sqrt(squares / static_cast<double>(tensor.shape().elements()));
      EXPECT_GT(size, 0.01) << output;
      EXPECT_LT(size, 50) << output;
    }
  }
}

// Pictures in, instances out: what a user does, held to the goldens. Masks are equal at every pixel
// that rounding does not decide.
void ExpectInstances(const BlendMaskGolden& golden, const SessionOptions& options) {
  SCOPED_TRACE(options.device + (options.dense_top_features ? ", dense" : ""));
  Session session(options);
  std::vector<std::string> files;
  for (const std::string& file : golden.notes.GetObject("inputs").GetStrings("images")) {
    files.push_back(golden.folder + "/" + file);
  }
  const Pictures pictures = session.ReadImages(files);
  const auto found = session.FindInstances(session.Run(pictures.inputs), pictures.info);
  const Json expected = Json::ParseFile(golden.folder + "/instances.json");
  ASSERT_EQ(std::ssize(found), golden.pictures());
  size_t at = 0;
  for (int64_t picture = 0; picture < golden.pictures(); ++picture) {
    const std::string det = "det/" + std::to_string(picture);
    const Tensor masks = golden.Array(det + "_masks"), unsure = golden.Array(det + "_undecided");
    const auto& instances = found[static_cast<size_t>(picture)].instances;
    ASSERT_EQ(std::ssize(instances), masks.shape()[0]);
    for (size_t i = 0; i < instances.size(); ++i, ++at) {
      ASSERT_LT(at, expected.size());
      const Json& row = expected.items()[at];
      EXPECT_EQ(row.GetInt("category_id"), instances[i].category);
      EXPECT_NEAR(row.GetNumber("score"), instances[i].score, golden.Tolerance(picture, "scores"));
      EXPECT_NEAR(row.GetNumbers("bbox")[0], instances[i].box[0],
                  4 * golden.Tolerance(picture, "boxes"));
      const RunLengths& mask = instances[i].mask;
      int64_t pixel = 0, wrong = 0;
      for (size_t run = 0; run < mask.counts.size(); ++run) {
        for (int64_t n = 0; n < mask.counts[run]; ++n, ++pixel) {
          const int64_t y = pixel % mask.height, x = pixel / mask.height;
          const int64_t bytes = masks.shape()[2];
          const auto byte =
              static_cast<size_t>((static_cast<int64_t>(i) * mask.height + y) * bytes + x / 8);
          const int bit = 128 >> (x % 8);
          const bool set = (masks.as<uint8_t>()[byte] & bit) != 0;
          const bool decided = (unsure.as<uint8_t>()[byte] & bit) == 0;
          if (decided && set != (run % 2 == 1)) ++wrong;
        }
      }
      EXPECT_EQ(pixel, mask.height * mask.width);
      EXPECT_EQ(wrong, 0) << "instance " << i;
    }
  }
  EXPECT_EQ(at, expected.size());
}

TEST(BlendMaskSession, FindsTheGoldensInstances) {
  for (const std::string& name : BlendMaskGoldenNames()) {
    SCOPED_TRACE(name);
    const BlendMaskGolden golden(name);
    SessionOptions options{
        .model = golden.folder + "/" + golden.notes.Get("weights").items()[0].AsString(),
        .config = golden.folder + "/config.json",
        .threads = 1};
    ExpectInstances(golden, options);
    options.dense_top_features = true;
    ExpectInstances(golden, options);
    options.device = "ref";
    ExpectInstances(golden, options);
  }
}

}  // namespace
}  // namespace vernier
