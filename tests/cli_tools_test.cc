// vernier bench and vernier inspect as a user meets them.

#include <filesystem>

#include "io/json.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

TEST(Bench, WritesTheFiguresThatOthersRelyOn) {
  const SpawnResult result = Vernier({"bench", "--model", Golden("vit/base_detail"), "--batch",
                                      "1,2", "--dtype", "f32,bf16", "--runs", "3", "--json", "-"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json json = Json::Parse(result.output, "output");
  ASSERT_THAT(json.GetArray("runs").items(), SizeIs(4));
  for (const Json& run : json.GetArray("runs").items()) {
    for (const char* field : {"median_ms", "mean_ms", "min_ms", "max_ms", "std_ms", "p50_ms",
                              "p90_ms", "p99_ms", "throughput_per_s", "first_run_ms", "load_ms",
                              "peak_rss_bytes", "packed_bytes", "arena_bytes", "anonymous_bytes"}) {
      EXPECT_GE(run.GetNumber(field), 0) << field;
    }
    EXPECT_THAT(run.GetNumbers("samples_ms"), SizeIs(3));
  }
  EXPECT_FALSE(json.GetObject("machine").GetString("cpu_model").empty());
}

TEST(Bench, ShowsATableForPeople) {
  const SpawnResult result =
      Vernier({"bench", "--model", Golden("pe_lang/pair_timm"), "--runs", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("median ms"));
  EXPECT_THAT(result.LastErrorLine(), StartsWith("PASSED | "));
}

TEST(Bench, AnswersEachLineInLockstep) {
  const SpawnResult result =
      Spawn({"/bin/sh", "-c",
             "printf 'go\\ngo\\n' | exec \"$0\" bench --model \"$1\" --batch 1 --lockstep",
             VERNIER_BINARY, Golden("vit/base_detail")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, testing::MatchesRegex("[0-9.]+\n[0-9.]+\n"));
  EXPECT_THAT(result.errors, HasSubstr("ready vernier "));
}

TEST(Bench, NamesTheListThatCannotBeRead) {
  const auto errors = [](const char* flag, const char* value) {
    return Vernier({"bench", "--model", Golden("vit/base_detail"), flag, value}).errors;
  };
  EXPECT_THAT(errors("--batch", "0"), HasSubstr("--batch: expected positive whole numbers"));
  EXPECT_THAT(errors("--threads", "x"), HasSubstr("--threads: expected positive whole numbers"));
  EXPECT_THAT(errors("--dtype", "f64"), HasSubstr("--dtype: expected f32 or bf16, found 'f64'"));
  EXPECT_THAT(errors("--lockstep", "x"), HasSubstr("unexpected argument 'x'"));
}

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

TEST(Inspect, NeedsSomethingToLookAt) {
  const SpawnResult result = Vernier({"inspect"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("error: PATH is missing"));
}

}  // namespace
}  // namespace vernier
