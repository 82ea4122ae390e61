// vernier run on models that write: answers, options, dumps and what is refused.

#include <algorithm>
#include <filesystem>

#include "io/font.h"
#include "io/json.h"
#include "io/npy.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kPage = Golden("pix2struct/page_greedy");

Json Answer(std::vector<std::string> words) {
  words.insert(words.begin(), "run");
  words.insert(words.end(), {"--json", "-"});
  const SpawnResult result = Vernier(words);
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return Json::Parse(result.output, "output");
}

TEST(Generate, PrintsTheAnswerAloneForOnePicture) {
  const SpawnResult result = Vernier({"run", "--model", kPage, "--image", kPage + "/input_0.png"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output,
            "howsdecreasereporthare Januaryreporthare Januaryautumn (4autumn Than 10l Axis\n");
}

TEST(Generate, GivesTheGoldenIdsForEveryRunWithFlags) {
  const std::string model = Golden("pix2struct/beams");
  const Json golden = Json::ParseFile(model + "/case.json");
  for (const Json& run : golden.GetArray("runs").items()) {
    SCOPED_TRACE(run.GetString("name"));
    std::vector<std::string> words = {
        "--model", model, "--image", model + "/input_0.png", model + "/input_1.png",
        "--batch", "2"};
    if (run.GetString("name") != "from_generation_config") {
      // What the file asks for and this run does not is put back.
      const Json& options = run.GetObject("options");
      const auto add = [&](const char* flag, const char* key, const char* otherwise) {
        words.insert(words.end(),
                     {flag, options.Has(key) ? options.Get(key).Compact() : otherwise});
      };
      add("--max-new-tokens", "max_new_tokens", "20");
      add("--min-new-tokens", "min_new_tokens", "0");
      add("--num-beams", "num_beams", "1");
      add("--no-repeat-ngram-size", "no_repeat_ngram_size", "0");
      add("--length-penalty", "length_penalty", "1");
      add("--repetition-penalty", "repetition_penalty", "1");
      if (options.Has("early_stopping")) {
        const bool never = options.Get("early_stopping").type() == Json::Type::kString;
        words.insert(words.end(), {"--early-stopping", never ? "never" : "true"});
      }
    }
    const Json found = Answer(words);
    for (size_t row = 0; row < 2; ++row) {
      const Json& result = found.GetArray("results").items()[row];
      std::vector<int64_t> expected;
      for (const Json& id : run.GetArray("ids").items()[row].items()) {
        expected.push_back(id.AsInt());
        if (expected.size() > 1 && expected.back() == 1) break;  // the rest is filling
      }
      EXPECT_EQ(result.GetInts("token_ids"), expected);
      if (!run.Has("sequences_scores")) continue;
      EXPECT_NEAR(result.GetNumber("score"), run.GetNumbers("sequences_scores")[row], 1e-4);
    }
  }
}

TEST(Generate, BeginsTheAnswerWithThePrompt) {
  const std::string model = Golden("pix2struct/long_bin");
  const Json found = Answer({"--model", model, "--image", model + "/input_0.png", "--prompt",
                             "A chart of", "--max-new-tokens", "16", "--log-probs"});
  const Json& result = found.GetArray("results").items()[0];
  EXPECT_THAT(result.GetString("text"), testing::StartsWith("A chart of"));
  EXPECT_EQ(result.GetInt("prompt_tokens"), 5);
  EXPECT_EQ(result.GetString("finish_reason"), "length");
  EXPECT_THAT(result.GetArray("log_probs").items(), testing::SizeIs(16));
}

TEST(Generate, StopsBehindAText) {
  const Json found =
      Answer({"--model", kPage, "--image", kPage + "/input_0.png", "--stop", "report"});
  const Json& result = found.GetArray("results").items()[0];
  EXPECT_EQ(result.GetString("text"), "howsdecreasereport");
  EXPECT_EQ(result.GetString("finish_reason"), "stop_string");
}

TEST(Generate, DrawsTheSameAnswerForTheSameSeed) {
  const std::vector<std::string> words = {
      "--model", kPage,    "--image", kPage + "/input_0.png", "--do-sample", "--temperature",
      "3",       "--seed", "11"};
  const auto ids = [](const Json& json) {
    return json.GetArray("results").items()[0].GetInts("token_ids");
  };
  EXPECT_EQ(ids(Answer(words)), ids(Answer(words)));
}

TEST(Generate, DumpsBothHalvesWithLogitsAndIds) {
  const ScratchFolder scratch;
  const std::string folder = scratch.path() + "/dump";
  Answer({"--model", kPage, "--image", kPage + "/input_0.png", "--dump", folder});
  const Tensor ids = ReadNpy(folder + "/generated_ids.npy");
  const Tensor logits = ReadNpy(folder + "/logits.npy");
  EXPECT_EQ(ids.shape()[1], logits.shape()[1]);
  EXPECT_NO_THROW(ReadNpy(folder + "/encoder_last_hidden_state.npy"));
  EXPECT_NO_THROW(ReadNpy(folder + "/decoder.layer.0.self_attention.attention.query.npy"));
  EXPECT_NO_THROW(ReadNpy(folder + "/decoder.layer.1.encoder_decoder_attention.attention.key.npy"));
}

TEST(Generate, ShowsEveryPartsNodesWithWhatRunsThem) {
  const std::vector<std::string> words = {
      "run", "--model", kPage, "--image", kPage + "/input_0.png", "--placement"};
  const std::string shown = Vernier(words).output;
  for (const char* part : {"\nencoder:\n", "\nmemory:\n", "\ndecoder:\n"}) {
    EXPECT_THAT(shown, HasSubstr(part));
  }
  const Json found = Answer({"--model", kPage, "--image", kPage + "/input_0.png", "--placement"});
  EXPECT_EQ(found.GetArray("placement").items().back().GetString("part"), "decoder");
  EXPECT_GT(found.GetObject("memory").GetInt("cache_bytes"), 0);
}

TEST(Generate, WarnsWhenTheDefaultLengthCutsAnAnswerOff) {
  const std::string model = Golden("pix2struct/tied_odd");
  const SpawnResult cut = Vernier({"run", "--model", model, "--image", model + "/input_0.png"});
  EXPECT_THAT(cut.errors, HasSubstr("an answer was cut off after 20 tokens"));
  const SpawnResult asked = Vernier(
      {"run", "--model", model, "--image", model + "/input_0.png", "--max-new-tokens", "20"});
  EXPECT_THAT(asked.errors, Not(HasSubstr("cut off")));
}

TEST(Generate, RefusesOptionsOutOfBounds) {
  const SpawnResult result = Vernier(
      {"run", "--model", kPage, "--image", kPage + "/input_0.png", "--max-new-tokens", "99999999"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("the most is 1048576"));
}

TEST(Generate, SaysThatATokenizerIsMissing) {
  const ScratchFolder folder;
  std::filesystem::copy(kPage, folder.path("model"));
  for (const char* name : {"tokenizer.json", "spiece.model"}) {
    std::filesystem::remove(folder.path("model/") + name);
  }
  const SpawnResult result =
      Vernier({"run", "--model", folder.path("model"), "--image", kPage + "/input_0.png"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("the model folder has no tokenizer"));
  EXPECT_THAT(result.errors, HasSubstr("put tokenizer.json or spiece.model beside config.json"));
}

TEST(Generate, WantsOneQuestionForAllPicturesOrOneForEach) {
  const std::string model = Golden("pix2struct/vqa_header");
  const SpawnResult result = Vernier({"run", "--model", model, "--image", model + "/input_0.png",
                                      "--prompt", "a", "--prompt", "b"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("--prompt was given 2 times for 1 pictures"));
}

// A model of questions about charts that was trained with a font of which nobody has heard.
class OtherFont : public testing::Test {
 protected:
  OtherFont() {
    std::filesystem::copy(Golden("pix2struct/vqa_header"), model_);
    Json json = Json::ParseFile(model_ + "/preprocessor_config.json");
    json["header_font"] = "Nowhere.ttf";
    scratch_.Write("model/preprocessor_config.json", json.Compact());
  }
  void SetUp() override {
    if (FindFontFile("DejaVuSans.ttf").empty()) GTEST_SKIP() << "DejaVu Sans is not installed";
  }

  const std::string kNotice =
      "questions are drawn in DejaVu Sans; this one was trained with Nowher";
  ScratchFolder scratch_;
  const std::string model_ = scratch_.path("model");
  const std::string picture_ = model_ + "/input_0.png";
};

TEST_F(OtherFont, IsToldOnceHoweverManyQuestionsAreDrawn) {
  const SpawnResult result = Vernier({"run", "--model", model_, "--image", picture_, picture_,
                                      picture_, "--prompt", "How many?", "--max-new-tokens", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("warning: " + picture_ + ": " + kNotice));
  EXPECT_THAT(result.errors, HasSubstr("warning: 2 more pictures: " + kNotice));
  EXPECT_EQ(std::ranges::count(result.errors, '\n'), 3) << result.errors;
}

TEST_F(OtherFont, IsNotToldWhereNothingIsDrawn) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"inspect", model_},
        {"run", "--model", model_, "--print-graph", "text"},
        {"run", "--model", model_, "--image", picture_, "--header-image", model_ + "/header_0.png",
         "--max-new-tokens", "2"}}) {
    const SpawnResult result = Vernier(words);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_THAT(result.errors, testing::StartsWith("PASSED"));
  }
}

TEST_F(OtherFont, IsPartOfAnEvaluation) {
  const std::string line = R"({"image": "model/input_0.png", "question": "a", "answer": "b"})";
  const std::string set = scratch_.Write("set.jsonl", line + "\n" + line + "\n");
  const SpawnResult result =
      Vernier({"eval", "--model", model_, "--data", set, "--max-new-tokens", "2", "--json", "-"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const Json summary = Json::Parse(result.output, "summary");
  EXPECT_THAT(summary.GetStrings("warnings"), testing::ElementsAre(HasSubstr(kNotice)));
}

TEST(Generate, KeepsEachPicturesPromptWhereAnotherPictureCannotBeUsed) {
  const std::string model = Golden("pix2struct/long_bin"), picture = model + "/input_0.png";
  const std::string text = std::string(VERNIER_TEST_DATA) + "/images/bad_text.png";
  const SpawnResult result =
      Vernier({"run", "--model", model, "--image", text, picture, picture, "--prompt", "A table",
               "A chart", "A page", "--max-new-tokens", "2", "--json", "-"});
  EXPECT_EQ(result.exit_code, 2);
  const Json found = Json::Parse(result.output, "output").GetArray("results");
  ASSERT_THAT(found.items(), testing::SizeIs(2));
  EXPECT_THAT(found.items()[0].GetString("text"), testing::StartsWith("A chart"));
  EXPECT_THAT(found.items()[1].GetString("text"), testing::StartsWith("A page"));
}

TEST(Generate, KeepsFinishedAnswersWhenInterrupted) {
  const ScratchFolder folder;
  const std::string json = folder.path("answers.json");
  std::vector<std::string> words = {"run", "--model", kPage, "--json", json, "--image"};
  words.insert(words.end(), 3000, kPage + "/input_0.png");
  const SpawnResult result = Vernier(words, {.signal_after_ms = 1000});
  EXPECT_EQ(result.exit_code, 130) << result.errors;
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("of 3000 pictures done"));
  EXPECT_LT(Json::ParseFile(json).GetArray("results").size(), 3000u);
}

TEST(Generate, RefusesTensorsOfAnswersAndTheirSimilarity) {
  const SpawnResult out =
      Vernier({"run", "--model", kPage, "--image", kPage + "/input_0.png", "--out", "x.npy"});
  EXPECT_EQ(out.exit_code, 2);
  EXPECT_THAT(out.errors, HasSubstr("--out: this model answers in words, which no tensor holds"));
  EXPECT_THAT(out.errors, HasSubstr("--json writes the answers"));
  const SpawnResult alike =
      Vernier({"run", "--model", kPage, "--image", kPage + "/input_0.png", "--similarity"});
  EXPECT_EQ(alike.exit_code, 2);
  EXPECT_THAT(alike.errors, HasSubstr("--similarity is for models that give embeddings; this one "
                                      "is a pix2struct model"));
}

}  // namespace
}  // namespace vernier
