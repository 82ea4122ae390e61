// vernier inspect as a user meets it.

#include <filesystem>

#include "io/json.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

TEST(Inspect, ShowsWhatAModelFolderHolds) {
  const SpawnResult result = Vernier({"inspect", DigitsModel()});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* part : {"safetensors", "vit (ViTForImageClassification)", "GFLOP", "fits here",
                           "and 52 more (--tensors lists all)"}) {
    EXPECT_THAT(result.output, HasSubstr(part));
  }
}

TEST(Inspect, ReadsPyTorchFilesArraysAndPictures) {
  const SpawnResult result =
      Vernier({"inspect", "--json", "-", Golden("vit/bin_no_head/pytorch_model.bin"),
               Golden("vit/base_detail/pixel_values.npy"), Golden("vit/base_detail/input_0.png")});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json json = Json::Parse(result.output, "output");
  ASSERT_THAT(json.items(), SizeIs(3));
  EXPECT_THAT(json.items()[0].GetString("format"), HasSubstr("PyTorch"));
  EXPECT_EQ(json.items()[1].GetString("dtype"), "f32");
  EXPECT_EQ(json.items()[2].GetString("mode"), "RGB");
}

TEST(Inspect, TellsDocumentsAndBundlesFromWeights) {
  const std::string pages = std::string(VERNIER_TEST_DATA) + "/pages/three.pdf";
  if (const SpawnResult result = Vernier({"inspect", pages}); result.exit_code != 4) {
    EXPECT_THAT(result.output, HasSubstr("PDF, 3 pages"));  // 4: this machine has no poppler
  }
  const ScratchFolder scratch;
  const std::string model = Golden("vit/cls_batch2"), bundle = scratch.path("evidence");
  ASSERT_EQ(
      Vernier({"record", "--model", model, "--image", model + "/input_0.png", "--out", bundle})
          .exit_code,
      0);
  const SpawnResult result = Vernier({"inspect", bundle});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("(vit), f32 on cpu"));
}

TEST(Inspect, MakesCheckpointsThatRun) {
  const ScratchFolder folder;
  for (const char* name : {"vit/cls_batch2", "pe_lang/pair_timm", "pe_lang/pair_original"}) {
    const std::string made = folder.path("made");
    const SpawnResult result =
        Vernier({"inspect", "--make-random", Golden(name) + "/config.json", made});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const SpawnResult run =
        Vernier({"run", "--model", made, "--image", Golden("vit/base_detail/input_0.png")});
    EXPECT_EQ(run.exit_code, 0) << name << run.errors;
    std::filesystem::remove_all(made);
  }
}

TEST(Inspect, MakesNoRandomWeightsWhereAModelIs) {
  const ScratchFolder folder;
  const std::string config = Golden("vit/cls_batch2") + "/config.json", made = folder.path("made");
  ASSERT_EQ(Vernier({"inspect", "--make-random", config, made}).exit_code, 0);
  const auto time = std::filesystem::last_write_time(made + "/model.safetensors");
  const SpawnResult again = Vernier({"inspect", "--make-random", config, made});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, HasSubstr("is there already: random weights go into a folder without"));
  EXPECT_THAT(again.errors, HasSubstr("name a new folder"));
  EXPECT_EQ(std::filesystem::last_write_time(made + "/model.safetensors"), time);
  std::filesystem::remove(made + "/model.safetensors");
  // The configuration's own folder is one without a model.
  EXPECT_EQ(Vernier({"inspect", "--make-random", made, made}).exit_code, 0);
}

TEST(Inspect, NeedsSomethingToLookAt) {
  const SpawnResult result = Vernier({"inspect"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("error: PATH is missing"));
}

}  // namespace
}  // namespace vernier
