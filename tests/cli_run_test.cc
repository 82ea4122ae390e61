// vernier run, from its flags to its files.

#include <filesystem>
#include <fstream>

#include "core/cpu_features.h"
#include "io/json.h"
#include "io/npy.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string kModel = Golden("vit/base_detail");
const std::string kPicture = kModel + "/input_0.png";

TEST(Run, LabelsHandwrittenDigits) {
  const SpawnResult result =
      Vernier({"run", "--model", DigitsModel(), "--image", DigitsModel() + "/test/3"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr(": three "));
  EXPECT_THAT(result.LastErrorLine(), StartsWith("PASSED | "));
}

TEST(Run, GivesTheSameAnswersWhereOpenMpHasFewerThreadsThanItWasAskedFor) {
  const auto answer = [](const std::string& environment) {
    const SpawnResult result =
        Vernier({"run", "--model", DigitsModel(), "--image", DigitsModel() + "/test/3/0708.png",
                 "--threads", "4", "--json", "-"},
                {.environment = {environment}});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    const Json json = Json::Parse(result.output, "output");
    const Json& first = json.GetArray("results").items()[0].GetArray("labels").items()[0];
    return std::pair(first.GetString("label"), first.GetNumber("probability"));
  };
  const auto expected = answer("OMP_DYNAMIC=false");
  EXPECT_EQ(expected.first, "three");
  for (const char* fewer : {"OMP_THREAD_LIMIT=1", "OMP_THREAD_LIMIT=3", "OMP_DYNAMIC=true"}) {
    EXPECT_EQ(answer(fewer), expected) << fewer;
  }
}

TEST(Run, EndsWithTheDeviceCodeWhereThisBuildLacksTheDevice) {
  for (const char* device : {"cuda", "ascend"}) {
    const SpawnResult result =
        Vernier({"run", "--model", DigitsModel(), "--image", kPicture, "--device", device});
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.errors, HasSubstr(std::string("device '") + device + "' is not part of"));
    EXPECT_THAT(result.errors, HasSubstr("use --device cpu"));
  }
}

TEST(Run, WritesTheJsonThatOthersRelyOn) {
  const SpawnResult result =
      Vernier({"run", "--model", DigitsModel(), "--image", DigitsModel() + "/test/0/0030.png",
               "--top-k", "3", "--json", "-"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json json = Json::Parse(result.output, "output");
  EXPECT_EQ(json.GetString("device"), "cpu");
  EXPECT_EQ(json.GetString("dtype"), "f32");
  EXPECT_TRUE(json.GetObject("seconds").Has("run"));
  ASSERT_THAT(json.GetArray("results").items(), SizeIs(1));
  const Json& first = json.GetArray("results").items()[0];
  EXPECT_THAT(first.GetString("image"), HasSubstr("0030.png"));
  ASSERT_THAT(first.GetArray("labels").items(), SizeIs(3));
  EXPECT_EQ(first.GetArray("labels").items()[0].GetInt("index"), 0);
  EXPECT_GT(first.GetArray("labels").items()[0].GetNumber("probability"), 0.5);
  EXPECT_TRUE(json.GetArray("warnings").is_array());
}

TEST(Run, NamesPicturesThatItCannotUseAndGoesOnWithTheOthers) {
  const std::string text = std::string(VERNIER_TEST_DATA) + "/images/bad_text.png";
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", "/nonexistent.png", text, kPicture});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("cannot open /nonexistent.png"));
  EXPECT_THAT(result.errors, HasSubstr("bad_text.png: not an image"));
  EXPECT_THAT(result.output, HasSubstr("input_0.png: embedding (cls) of 40 values"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("2 of 3 pictures could not be used"));
}

TEST(Run, RefusesAGreyPictureUntilToldToConvert) {
  const std::string grey = std::string(VERNIER_TEST_DATA) + "/images/png_gray8.png";
  const SpawnResult refused = Vernier({"run", "--model", kModel, "--image", grey});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("--convert-rgb"));
  EXPECT_EQ(Vernier({"run", "--model", kModel, "--convert-rgb", "--image", grey}).exit_code, 0);
}

TEST(Run, RefusesHugePicturesByTheirHeaderAlone) {
  const std::string bomb = std::string(VERNIER_TEST_DATA) + "/images/bad_png_60000x60000.png";
  const SpawnResult result = Vernier({"run", "--model", kModel, "--image", bomb});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("60000"));
}

TEST(Run, DumpsEveryModuleWithAManifest) {
  const ScratchFolder folder;
  const std::string dump = folder.path("dump");
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--dump", dump});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json manifest = Json::ParseFile(dump + "/manifest.json");
  EXPECT_EQ(manifest.GetString("device"), "cpu");
  std::vector<std::string> names;
  for (const Json& entry : manifest.GetArray("tensors").items()) {
    names.push_back(entry.GetString("name"));
    const Tensor tensor = ReadNpy(dump + "/" + entry.GetString("file"));
    EXPECT_EQ(Shape(entry.GetInts("shape")), tensor.shape()) << names.back();
    EXPECT_NE(entry.GetString("tap"), "absent");
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"pixel_values", "embeddings",
                                            "encoder.layer.1.attention.attention.query",
                                            "encoder.layer.0.output.dense", "layernorm",
                                            "last_hidden_state", "pooler_output", "embedding"}));
}

TEST(Run, DumpsOnlyWhatTheFilterNamesByAnySpelling) {
  const ScratchFolder folder;
  const std::string dump = folder.path("dump");
  const SpawnResult result = Vernier({"run", "--model", kModel, "--image", kPicture, "--dump", dump,
                                      "--dump-filter", "layers.0.attention.?_proj"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(Json::ParseFile(dump + "/manifest.json").GetArray("tensors").items(), SizeIs(4));
}

TEST(Run, SaysWhenAFilterNamesNothing) {
  const ScratchFolder folder;
  const SpawnResult result = Vernier({"run", "--model", kModel, "--image", kPicture, "--dump",
                                      folder.path("dump"), "--dump-filter", "nothing.*"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("--dump-filter nothing.*: no value has such a name"));
}

TEST(Run, LeavesNothingHalfWrittenOnAFullDisk) {
  const ScratchFolder folder;
  const std::string dump = folder.path("dump");
  // Two blocks of 512 bytes: the first arrays do not fit.
  const SpawnResult result = Spawn(
      {"/bin/sh", "-c", "ulimit -f 2; exec \"$0\" run --model \"$1\" --image \"$2\" --dump \"$3\"",
       CommandPath(), kModel, kPicture, dump});
  EXPECT_EQ(result.exit_code, 4) << result.errors;
  EXPECT_THAT(result.LastErrorLine(), StartsWith("FAILED | "));
  EXPECT_FALSE(std::filesystem::exists(dump + "/manifest.json"));
  for (const auto& entry : std::filesystem::directory_iterator(dump)) {
    EXPECT_NO_THROW(ReadNpy(entry.path().string())) << entry.path();
  }
}

TEST(Run, KeepsFinishedResultsWhenInterrupted) {
  const ScratchFolder folder;
  const std::string json = folder.path("results.json");
  std::vector<std::string> words = {"run", "--model", kModel, "--json", json, "--image"};
  words.insert(words.end(), 3000, kPicture);
  const SpawnResult result = Vernier(words, {.signal_after_ms = 300});
  if (result.exit_code == 0) GTEST_SKIP() << "the run was done before the signal came";
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_THAT(result.LastErrorLine(),
              MatchesRegex("INTERRUPTED \\| .* s \\| [0-9]+ of 3000 pictures done \\| .*"));
  EXPECT_LT(Json::ParseFile(json).GetArray("results").size(), 3000u);
}

TEST(Run, FeedsTensorsAndReachesTheGoldensOutput) {
  const ScratchFolder folder;
  const std::string out = folder.path("out.npy");
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--input", "pixel_values=" + kModel + "/pixel_values.npy",
               "--embedding", "none", "--out", out});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Tensor found = ReadNpy(out);
  const Tensor expected = ReadNpy(kModel + "/out/last_hidden_state.npy");
  ASSERT_EQ(found.shape(), expected.shape());
  for (size_t i = 0; i < found.as<float>().size(); ++i) {
    ASSERT_NEAR(found.as<float>()[i], expected.as<float>()[i], 1e-4);
  }
}

TEST(Run, NamesAnArrayThatCannotBeRead) {
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--input", "pixel_values=" + kPicture});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("input_0.png"));
  EXPECT_THAT(Vernier({"run", "--model", kModel, "--input", "pixel_values"}).errors,
              HasSubstr("--input: expected NAME=FILE.npy, found 'pixel_values'"));
}

TEST(Run, MarksLabelsOfAMadeUpHead) {
  const SpawnResult refused = Vernier({"run", "--model", kModel, "--image", kPicture, "--labels"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("has no classification head"));
  const SpawnResult made_up =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--labels", "--allow-random-head"});
  EXPECT_EQ(made_up.exit_code, 0);
  EXPECT_THAT(made_up.output, HasSubstr("(made-up head: means nothing)"));
  EXPECT_THAT(made_up.errors, HasSubstr("warning: "));
}

TEST(Run, ShowsHowAlikePicturesAre) {
  const SpawnResult result = Vernier(
      {"run", "--model", kModel, "--image", kPicture, kPicture, "--batch", "2", "--similarity"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("1 input_0.png             1.0000  1.0000"));
}

TEST(Run, ShowsWhatRanEveryNode) {
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--placement", "--device", "ref"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("encoder.layer.0.attention.output.dense"));
  EXPECT_THAT(result.output, HasSubstr("LayerNorm        ref"));
}

TEST(Run, PrintsTheGraphWithoutPictures) {
  const SpawnResult text = Vernier({"run", "--model", kModel, "--print-graph", "text"});
  EXPECT_EQ(text.exit_code, 0) << text.errors;
  EXPECT_THAT(text.output, HasSubstr("encoder.layer.0.layernorm_before"));
  EXPECT_THAT(Vernier({"run", "--model", kModel, "--print-graph=dot"}).output,
              StartsWith("digraph"));
}

TEST(Run, GivesTheSameResultWithoutAnyOnePass) {
  const auto embedding = [](std::vector<std::string> more) {
    std::vector<std::string> words = {"run", "--model", kModel, "--image", kPicture};
    words.insert(words.end(), more.begin(), more.end());
    return Vernier(words).output;
  };
  const std::string listed = Vernier({"run", "--list-passes"}).output;
  EXPECT_THAT(listed, HasSubstr("fuse_epilogue"));
  EXPECT_EQ(embedding({"--disable-pass", "fuse_epilogue"}), embedding({}));
  EXPECT_EQ(embedding({"--disable-pass", "fuse_projections"}), embedding({}));
  EXPECT_THAT(
      Vernier({"run", "--model", kModel, "--image", kPicture, "--disable-pass", "magic"}).errors,
      HasSubstr("magic"));
}

TEST(Run, RefusesFlagsThatContradictEachOther) {
  const auto message = [](std::vector<std::string> more) {
    std::vector<std::string> words = {"run", "--model", kModel};
    words.insert(words.end(), more.begin(), more.end());
    const SpawnResult result = Vernier(words);
    EXPECT_EQ(result.exit_code, 2);
    return result.errors;
  };
  EXPECT_THAT(message({}), HasSubstr("there is nothing to run on"));
  EXPECT_THAT(
      message({"--image", kPicture, "--input", "pixel_values=" + kModel + "/pixel_values.npy"}),
      HasSubstr("--image and --input exclude each other"));
  EXPECT_THAT(message({"--image", kPicture, "--similarity", "--embedding", "none"}),
              HasSubstr("--similarity compares embeddings"));
  EXPECT_THAT(message({"--image", kPicture, "--out", "x.txt"}),
              HasSubstr("expected a file ending in .npy or .safetensors"));
  EXPECT_THAT(message({"--image", kPicture, kPicture, kPicture, "--batch", "2", "--dump", "d"}),
              HasSubstr("--dump holds one batch"));
  EXPECT_THAT(message({"--image", kPicture, "--size", "0x9"}),
              HasSubstr("--size: expected PIXELS or HEIGHTxWIDTH"));
  EXPECT_THAT(message({"--image", kPicture, "--batch", "0"}), HasSubstr("at least 1, found '0'"));
  EXPECT_THAT(message({"--image", "/nonexistent/*.png"}), HasSubstr("no file matches"));
  EXPECT_THAT(message({"--image", kPicture, "--dump", "d", "--out", "./d"}),
              HasSubstr("--out and --dump would both write"));
}

TEST(Run, RefusesFlagsThatTheModelHasNoUseFor) {
  const auto message = [](std::vector<std::string> more) {
    std::vector<std::string> words = {"run", "--model", kModel, "--image", kPicture};
    words.insert(words.end(), more.begin(), more.end());
    const SpawnResult result = Vernier(words);
    EXPECT_EQ(result.exit_code, 2);
    return result.errors;
  };
  EXPECT_THAT(message({"--prompt", "What is it?"}),
              HasSubstr("--prompt is for models that read text; this one is a vit model"));
  EXPECT_THAT(message({"--log-probs"}), HasSubstr("--log-probs is for models that write text"));
  EXPECT_THAT(message({"--score-threshold", "0.5"}),
              HasSubstr("--score-threshold is for models that find objects"));
  EXPECT_THAT(message({"--max-detections", "5"}),
              HasSubstr("--max-detections is for models that find objects"));
  EXPECT_THAT(message({"--max-new-tokens", "3"}),
              HasSubstr("max_new_tokens of generation was set, and a vit model writes no text"));
  EXPECT_THAT(message({"--threads", "99999999999999"}),
              HasSubstr("--threads: expected a whole number from 1 to 4096"));
}

TEST(Run, RefusesAPathThatCannotBeWrittenBeforeAnythingRuns) {
  const ScratchFolder scratch;
  for (const char* flag : {"--json", "--out"}) {
    const std::string path = scratch.path("absent/results.npy");
    const SpawnResult result = Vernier({"run", "--model", kModel, "--image", kPicture, flag, path});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.errors, HasSubstr("cannot write " + path));
  }
  const SpawnResult eval =
      Vernier({"eval", "--model", kModel, "--data", "absent", "--json", scratch.path("")});
  EXPECT_THAT(eval.errors, HasSubstr("cannot write " + scratch.path("")));
  const SpawnResult compare = Vernier({"compare", "absent", "absent", "--json", scratch.path("")});
  EXPECT_THAT(compare.errors, HasSubstr("cannot write " + scratch.path("")));
}

TEST(Run, TellsWhatStandsInPlaceOfWeights) {
  const std::pair<const char*, const char*> cases[] = {
      {"lfs_safetensors", "a Git LFS pointer, not the weights"},
      {"lfs_bin", "a Git LFS pointer, not the weights"},
      {"truncated", "the file is truncated"},
      {"empty", "the file is empty"},
      {"missing_tensor", "missing 1 tensor: layernorm.weight"}};
  for (const auto& [folder, message] : cases) {
    const SpawnResult result =
        Vernier({"run", "--model", Golden("vit/errors/") + folder, "--image", kPicture});
    EXPECT_EQ(result.exit_code, 2) << folder;
    EXPECT_THAT(result.errors, HasSubstr(message)) << folder;
  }
  EXPECT_THAT(Vernier({"run", "--model", "/nonexistent", "--image", kPicture}).errors,
              HasSubstr("model folder /nonexistent does not exist"));
}

TEST(Run, SaysWhichInstructionSetsThisCpuHas) {
  const char* foreign = Cpu().Has(Isa::kNeon) ? "avx2" : "neon";
  const SpawnResult result =
      Vernier({"run", "--model", kModel, "--image", kPicture, "--isa", foreign});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.errors, HasSubstr(std::string("this CPU has no ") + foreign));
  EXPECT_THAT(result.errors, HasSubstr("hint: it has: scalar"));
}

TEST(Run, NamesAFamilyThatItDoesNotKnow) {
  const ScratchFolder folder;
  std::filesystem::copy(kModel + "/model.safetensors", folder.path("model.safetensors"));
  std::ofstream(folder.path("config.json")) << R"({"model_type": "bert"})";
  const SpawnResult result = Vernier({"run", "--model", folder.path(), "--image", kPicture});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("unknown model family 'bert'"));
}

}  // namespace
}  // namespace vernier
