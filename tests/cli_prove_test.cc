// `vernier compare` on settings, bundles and itself, and `vernier record`, as a user runs them.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "core/sha256.h"
#include "io/json.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

std::vector<std::string> OnVit(std::vector<std::string> words) {
  const std::string model = Golden("vit/base_detail");
  for (const std::string& word : {std::string("--model"), model, std::string("--input"),
                                  "pixel_values=" + model + "/pixel_values.npy"}) {
    words.push_back(word);
  }
  return words;
}

TEST(CliCompareSettings, PassesRoundingAndFailsHalfPrecisionNamingWhereItComesFrom) {
  const ScratchFolder folder;
  const SpawnOptions with_cache{.environment = {"VERNIER_CACHE=" + folder.path("cache")}};
  const auto f32 =
      Vernier(OnVit({"compare", "device=ref", "device=cpu", "--gate", "mre<=1%"}), with_cache);
  EXPECT_EQ(f32.exit_code, 0) << f32.errors;
  const std::string json = folder.path("c.json");
  const auto bf16 = Vernier(OnVit({"compare", "device=ref", "device=cpu,dtype=bf16", "--gate",
                                   "rel_euclidean<=1e-5", "--json", json}),
                            with_cache);
  EXPECT_EQ(bf16.exit_code, 1) << bf16.errors;
  const Json found = Json::ParseFile(json);
  const Json& culprits = found.GetObject("verdict").GetObject("culprits");
  EXPECT_EQ(culprits.GetString("evidence"), "isolated");
  EXPECT_NE(culprits.GetString("most_own_error"), "");
}

TEST(CliCompareSettings, GivesTheSameBytesTwice) {
  const ScratchFolder folder;
  std::vector<std::string> runs;
  for (const char* name : {"a.json", "b.json"}) {
    Vernier(OnVit({"compare", "device=cpu,threads=1", "device=cpu,dtype=bf16,threads=1",
                   "--no-cache", "--json", folder.path(name)}));
    Json json = Json::ParseFile(folder.path(name));
    runs.push_back(json.GetArray("tensors").Compact());
  }
  EXPECT_EQ(runs[0], runs[1]);
}

std::vector<std::string> OnWriter(std::vector<std::string> words) {
  const std::string model = Golden("pix2struct/page_greedy");
  words.insert(words.end(), {"--model", model, "--image", model + "/input_0.png",
                             "--max-new-tokens", "6", "--no-cache"});
  return words;
}

TEST(CliCompareSettings, HoldsADecodersLogitsToGates) {
  const auto found =
      Vernier(OnWriter({"compare", "device=ref", "device=cpu,dtype=bf16", "--gate",
                        "logits:mre<=10%", "--gate", "logits:cosine>=0.999", "--top", "0"}));
  EXPECT_EQ(found.exit_code, 0) << found.errors;
  EXPECT_THAT(found.output, testing::HasSubstr("PASS  logits:cosine>=0.999"));
  EXPECT_THAT(found.output, testing::HasSubstr("best of 6 rows agrees in"));
  EXPECT_THAT(found.output, testing::HasSubstr("the choice of tokens one by one"));
}

TEST(CliCompareSettings, FindsTheDecodersNodesThatMustStayInF32) {
  const ScratchFolder folder;
  const std::string file = folder.path("p.txt");
  const auto found = Vernier(
      OnWriter({"compare", "device=cpu,onednn=off", "device=cpu,dtype=bf16,onednn=off", "--gate",
                "decoder.layer.0.self_attention.attention.query:mre<=0.01%", "--bisect", file}));
  EXPECT_THAT(found.output, testing::HasSubstr("nodes must stay in f32: decoder."));
  const auto proved = Vernier(OnWriter(
      {"compare", "device=cpu,onednn=off", "device=cpu,dtype=bf16,onednn=off", "--gate",
       "decoder.layer.0.self_attention.attention.query:mre<=0.01%", "--precision-file", file}));
  EXPECT_EQ(proved.exit_code, 0) << proved.output << proved.errors;
}

TEST(CliRun, GivesTheSameBytesTwice) {
  const ScratchFolder folder;
  for (const char* name : {"a", "b"}) {
    const auto run = Vernier(OnVit({"run", "--threads", "2", "--dump", folder.path(name)}));
    ASSERT_EQ(run.exit_code, 0) << run.errors;
  }
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("a"))) {
    if (entry.path().extension() != ".npy") continue;
    const std::string name = entry.path().filename().string();
    EXPECT_EQ(Sha256OfFile(folder.path("a/" + name)), Sha256OfFile(folder.path("b/" + name)))
        << name;
    ++files;
  }
  EXPECT_GT(files, 20u);
}

TEST(CliCompareSettings, RefusesASettingThatItDoesNotKnow) {
  const auto found = Vernier(OnVit({"compare", "device=ref", "devise=cpu"}));
  EXPECT_EQ(found.exit_code, 2);
  EXPECT_THAT(found.errors, testing::HasSubstr("unknown key 'devise'"));
  EXPECT_THAT(found.errors, testing::HasSubstr("did you mean device?"));
  EXPECT_EQ(Vernier(OnVit({"compare", "device=ref", "device=cuda"})).exit_code, 4);
  const auto no_model = Vernier({"compare", "device=ref", "device=cpu"});
  EXPECT_THAT(no_model.errors, testing::HasSubstr("no model is given"));
}

TEST(CliCompareBisect, WritesAPrecisionFileThatRunAccepts) {
  const ScratchFolder folder;
  const std::string file = folder.path("p.txt");
  const auto found = Vernier(
      OnVit({"compare", "device=cpu,threads=1", "device=cpu,dtype=bf16,threads=1", "--gate",
             "encoder.layer.0.attention.attention.query:rel_euclidean<=1e-5", "--bisect", file}));
  EXPECT_EQ(found.exit_code, 0) << found.errors;
  EXPECT_THAT(ReadAll(file), testing::HasSubstr("encoder.layer.0.attention.attention.query f32"));
  const auto run = Vernier(OnVit({"run", "--dtype", "bf16", "--precision-file", file}));
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  folder.Write("q.txt", "encoder.layre.0 f32\n");
  const auto wrong = Vernier(OnVit({"run", "--precision-file", folder.path("q.txt")}));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.errors, testing::HasSubstr("the model has no node 'encoder.layre.0'"));
}

TEST(CliCompareSelf, ChecksARunAgainstItself) {
  const auto found = Vernier(OnVit({"compare", "--self"}));
  EXPECT_EQ(found.exit_code, 0) << found.errors;
  EXPECT_THAT(found.output, testing::HasSubstr("50 repeats"));
  EXPECT_THAT(found.output, testing::HasSubstr("the same to the bit"));
}

TEST(CliRecord, TakesPicturesAndWhatIsFedBesideThem) {
  const ScratchFolder folder;
  const std::string model = Golden("paddleocr_vl/one_image"), bundle = folder.path("run.vb");
  const auto recorded =
      Vernier({"record", "--model", model, "--image", model + "/input_0.png", "--input",
               "decoder_input_ids=" + model + "/generated_ids.npy", "--out", bundle});
  ASSERT_EQ(recorded.exit_code, 0) << recorded.errors;
  const auto proved =
      Vernier({"compare", bundle, "device=ref", "--model", model, "--preset", "paddleocr_vl"});
  EXPECT_THAT(proved.output, testing::HasSubstr("PASS  logits:mre<1%")) << proved.errors;
  EXPECT_THAT(proved.output, testing::Not(testing::HasSubstr("the answers:")));
  const auto neither = Vernier({"record", "--model", model, "--out", bundle});
  EXPECT_EQ(neither.exit_code, 2);
  EXPECT_THAT(neither.errors, testing::HasSubstr("record has nothing to run on"));
}

TEST(CliRecord, MakesABundleThatARunIsProvedAgainst) {
  const ScratchFolder folder;
  const std::string bundle = folder.path("run.vb");
  const auto recorded = Vernier(OnVit({"record", "--setting", "device=ref", "--out", bundle}));
  ASSERT_EQ(recorded.exit_code, 0) << recorded.errors;
  const std::vector<std::string> prove = {
      "compare", bundle, "device=cpu", "--model", Golden("vit/base_detail"), "--gate", "mre<=1%"};
  const auto proved = Vernier(prove);
  EXPECT_EQ(proved.exit_code, 0) << proved.errors;
  const std::string bytes = ReadAll(bundle);
  folder.Write("run.vb", bytes.substr(0, bytes.size() / 2));
  const auto truncated = Vernier(prove);
  EXPECT_EQ(truncated.exit_code, 2);
  EXPECT_THAT(truncated.errors, testing::HasSubstr("its end is missing"));
}

}  // namespace
}  // namespace vernier
