// vernier run and eval on a model that reads pages: tasks, prompts, documents, and what is refused.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "io/json.h"
#include "io/npy.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kOne = Golden("paddleocr_vl/one_image");
const std::string kPages = std::string(VERNIER_TEST_DATA) + "/pages/";

std::vector<std::string> Words(const std::string& model, std::vector<std::string> more) {
  more.insert(more.begin(), {"run", "--model", model});
  return more;
}

Json Answers(const std::string& model, std::vector<std::string> words) {
  words.insert(words.end(), {"--json", "-"});
  const SpawnResult result = Vernier(Words(model, words));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return Json::Parse(result.output, "output");
}

SpawnResult Refused(const std::vector<std::string>& words, int exit_code = 2) {
  SpawnResult result = Vernier(words);
  EXPECT_EQ(result.exit_code, exit_code) << result.output;
  return result;
}

// What the golden says was written, as the command shows it.
std::vector<int64_t> GoldenIds(const std::string& model, size_t row) {
  const Tensor ids = ReadNpy(model + "/generated_ids.npy");
  const auto steps = static_cast<size_t>(ids.shape()[1]);
  const auto own = ids.as<int64_t>().subspan(row * steps, steps);
  return {own.begin(), own.end()};
}

std::vector<int64_t> NewIds(const Json& result) {
  const std::vector<int64_t> ids = result.GetInts("token_ids");
  return {ids.begin() + result.GetInt("prompt_tokens"), ids.end()};
}

TEST(Chat, ReadsAPictureByTheNameOfATask) {
  const Json found =
      Answers(kOne, {"--image", kOne + "/input_0.png", "--task", "ocr", "--max-new-tokens", "24"});
  const Json& result = found.GetArray("results").items()[0];
  EXPECT_EQ(NewIds(result), GoldenIds(kOne, 0));
  EXPECT_EQ(result.GetString("prompt"), "OCR:");
  EXPECT_EQ(result.GetInt("prompt_tokens"), 30);
  EXPECT_EQ(found.GetString("family"), "paddleocr_vl");
}

TEST(Chat, StreamsTheTextAloneForOnePicture) {
  const SpawnResult result =
      Vernier(Words(kOne, {"--image", kOne + "/input_0.png", "--max-new-tokens", "24"}));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const Json found = Answers(kOne, {"--image", kOne + "/input_0.png", "--max-new-tokens", "24"});
  const std::string text = found.GetArray("results").items()[0].GetString("text");
  EXPECT_THAT(result.output, StartsWith(text.substr(0, text.find_first_of("\x7f\x03"))));
  EXPECT_TRUE(result.output.ends_with("\n"));
}

TEST(Chat, ShowsSeveralPicturesInOnePrompt) {
  const std::string model = Golden("paddleocr_vl/two_images");
  const std::vector<std::string> common = {
      "--image",  model + "/input_0.png",      "--image",          model + "/input_1.png",
      "--prompt", "Compare the two pictures.", "--max-new-tokens", "20"};
  std::vector<std::string> together = common;
  together.push_back("--together");
  const Json found = Answers(model, together);
  EXPECT_EQ(found.GetArray("results").size(), 1u);
  EXPECT_EQ(NewIds(found.GetArray("results").items()[0]), GoldenIds(model, 0));
  EXPECT_EQ(found.GetArray("results").items()[0].GetArray("pictures").size(), 2u);
  EXPECT_EQ(Answers(model, common).GetArray("results").size(), 2u);
}

TEST(Chat, TakesConversationsAsMessages) {
  const std::string model = Golden("paddleocr_vl/text_only");
  const Json golden = Json::ParseFile(model + "/case.json");
  const ScratchFolder folder;
  const std::string file = folder.path("messages.json");
  std::ofstream(file) << golden.GetArray("messages").items()[0].Pretty();
  const Json found = Answers(model, {"--messages", file, "--max-new-tokens", "24"});
  EXPECT_EQ(NewIds(found.GetArray("results").items()[0]), GoldenIds(model, 0));
}

TEST(Chat, AnswersABatchOfPagesOfDifferentSizes) {
  const std::string model = Golden("paddleocr_vl/batch2_left_padding");
  const Json found =
      Answers(model, {"--image", model + "/input_0.png", model + "/input_1.png", "--task",
                      "formula", "--task", "chart", "--batch", "2", "--max-new-tokens", "18"});
  for (size_t row = 0; row < 2; ++row) {
    std::vector<int64_t> expected = GoldenIds(model, row);
    const Json& result = found.GetArray("results").items()[row];
    if (result.GetString("finish_reason") == "eos") expected.resize(NewIds(result).size());
    EXPECT_EQ(NewIds(result), expected);
  }
}

TEST(Chat, ReadsTheWantedPagesOfADocument) {
  const std::vector<std::string> base = {"--image", kPages + "three.pdf", "--max-new-tokens", "2"};
  const SpawnResult probe = Vernier(Words(kOne, base));
  if (probe.exit_code == 4) GTEST_SKIP() << probe.errors;
  std::vector<std::string> words = base;
  words.insert(words.end(), {"--pages", "3,1"});
  const Json found = Answers(kOne, words);
  ASSERT_EQ(found.GetArray("results").size(), 2u);
  const Json& first = found.GetArray("results").items()[0];
  EXPECT_EQ(first.GetString("image"), kPages + "three.pdf page 3");
  EXPECT_EQ(first.GetObject("picture").GetInt("page"), 3);
  EXPECT_THAT(probe.output, HasSubstr("three.pdf page 2:\n"));
}

TEST(Chat, ReadsAllPagesOfATiffOfAHundred) {
  const Json found =
      Answers(kOne, {"--image", kPages + "hundred.tif", "--max-new-tokens", "1", "--batch", "25"});
  EXPECT_EQ(found.GetArray("results").size(), 100u);
}

TEST(Chat, NamesDocumentsThatCannotBeReadAndGoesOn) {
  const ScratchFolder folder;
  std::ofstream(folder.path("broken.pdf")) << "%PDF-1.4\nnothing";
  const SpawnResult result =
      Vernier(Words(kOne, {"--image", folder.path("broken.pdf"), kPages + "encrypted.pdf",
                           kOne + "/input_0.png", "--max-new-tokens", "2"}));
  if (result.exit_code == 4) GTEST_SKIP() << result.errors;
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("broken.pdf: PDF: it is damaged"),
                    HasSubstr("encrypted.pdf: PDF: it is encrypted"), HasSubstr("--pdf-password")));
  EXPECT_FALSE(result.output.empty());
}

TEST(Chat, SaysWhatIsWrongWithAPrompt) {
  const std::vector<std::string> image = {"--image", kOne + "/input_0.png"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), image.begin(), image.end());
    return Words(kOne, more);
  };
  EXPECT_THAT(Refused(with({"--prompt-raw", "User: OCR:\nAssistant:\n"})).errors,
              AllOf(HasSubstr("Found total 0 <|IMAGE_PLACEHOLDER|> tokens and 1 images"),
                    HasSubstr("<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"),
                    HasSubstr("--auto-image")));
  EXPECT_THAT(Refused(with({"--prompt", "a <|IMAGE_PLACEHOLDER|>"})).errors,
              HasSubstr("Found total 2 <|IMAGE_PLACEHOLDER|> tokens and 1 images"));
  EXPECT_THAT(Refused(Words(kOne, {"--prompt", "<|IMAGE_PLACEHOLDER|>"})).errors,
              HasSubstr("Found 1 <|IMAGE_PLACEHOLDER|> tokens in the text but no images were "
                        "passed"));
  EXPECT_THAT(Refused(with({"--max-new-tokens", "5000"})).errors,
              HasSubstr("together more than the model's context of 4096"));
  EXPECT_THAT(Refused(with({"--min-pixels", "9", "--max-pixels", "8"})).errors,
              HasSubstr("--min-pixels must not be above --max-pixels"));
  EXPECT_THAT(
      Refused(with({"--task", "ocr", "--prompt-raw", "x", "--plain-specials", "--auto-image"}))
          .errors,
      HasSubstr("a raw prompt is made of special tokens"));
}

TEST(Chat, FeedsTheModelAsItWasFedInTheGolden) {
  std::vector<std::string> words = {"--max-new-tokens", "24"};
  for (const char* name : {"input_ids", "attention_mask", "pixel_values", "image_grid_thw"}) {
    words.insert(words.end(), {"--input", std::string(name) + "=" + kOne + "/" + name + ".npy"});
  }
  EXPECT_EQ(NewIds(Answers(kOne, words).GetArray("results").items()[0]), GoldenIds(kOne, 0));
}

TEST(Chat, IsRefusedByModelsThatDoNot) {
  const std::string vit = Golden("vit/base_detail");
  EXPECT_THAT(Refused({"run", "--model", vit, "--image", "x.png", "--task", "ocr"}).errors,
              HasSubstr("--task is for models that read conversations; this one is a vit model"));
}

TEST(Chat, IsEvaluatedByCharacterErrorsOverASet) {
  const ScratchFolder folder;
  const Json found = Answers(kOne, {"--image", kOne + "/input_0.png", "--max-new-tokens", "8"});
  const std::string text = found.GetArray("results").items()[0].GetString("text");
  Json right = Json::Object(), wrong = Json::Object();
  for (Json* sample : {&right, &wrong}) {
    (*sample)["image"] = kOne + "/input_0.png";
    (*sample)["id"] = sample == &right ? "right" : "wrong";
    (*sample)["answer"] = sample == &right ? text : text + text;
  }
  std::ofstream(folder.path("set.jsonl")) << right.Compact() << "\n" << wrong.Compact() << "\n";
  const SpawnResult result =
      Vernier({"eval", "--model", kOne, "--data", folder.path("set.jsonl"), "--max-new-tokens", "8",
               "--metrics", "cer", "--metrics", "1-ned", "--json", "-"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const Json metrics = Json::Parse(result.output, "output");
  EXPECT_THAT(result.output, AllOf(HasSubstr("\"cer\""), HasSubstr("\"1-ned\"")));
}

TEST(Chat, IsHeldToThePublishedProtocolWithItsDecoder) {
  const SpawnResult result =
      Vernier({"compare", "--model", kOne, "--image", kOne + "/input_0.png", "--reference",
               "device=ref", "--candidate", "device=cpu", "--preset", "paddleocr_vl"});
  // All 30 tokens agree, which is too few to show a share of 99 %.
  EXPECT_EQ(result.exit_code, 3) << result.errors;
  for (const char* gate : {"PASS  logits:mre<1%", "OPEN  logits:top1>=99%: 1 at lm_head",
                           "PASS  logits:cosine>0.999"}) {
    EXPECT_THAT(result.output, HasSubstr(gate));
  }
}

TEST(Chat, IsTimedWithOneColumnADevice) {
  const std::vector<std::string> words = {
      "bench",      "--model", kOne,           "--runs", "2",         "--warmup", "1",
      "--min-time", "0",       "--new-tokens", "2",      "--patches", "16"};
  std::vector<std::string> devices = words;
  devices.insert(devices.end(), {"--devices", "cpu,ascend,ref"});
  const SpawnResult result = Vernier(devices);
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* row :
       {"mean latency", "P50", "P99", "first token", "further token", "pictures/s", "tokens/s",
        "16 patches, 2 new tokens; 2 samples after 1 warm-up runs",
        "left out: ascend: device 'ascend' is not part of this build"}) {
    EXPECT_THAT(result.output, HasSubstr(row));
  }
  devices.back() = "ascend";
  EXPECT_THAT(Refused(devices, 4).errors, HasSubstr("none of the devices ascend is there"));
  devices.back() = "cpu,,ref";
  EXPECT_THAT(Refused(devices).errors, HasSubstr("a name is missing"));
  devices.back() = "cpu";
  devices.insert(devices.end(), {"--batch", "1,2"});
  EXPECT_THAT(Refused(devices).errors, HasSubstr("measures one configuration, and these are 2"));
}

TEST(Chat, CountsPagesThatCannotBeUsedAmongPages) {
  const SpawnResult result = Vernier(
      Words(kOne, {"--image", kPages + "three.pdf", "--max-new-tokens", "2", "--dpi", "100000"}));
  if (result.exit_code == 4) GTEST_SKIP() << result.errors;
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("3 of 3 pictures could not be used"));
}

TEST(Chat, CountsConversationsWherePicturesAreShownTogether) {
  const ScratchFolder scratch;
  const std::string bad = scratch.Write("bad.png", "no picture");
  const SpawnResult result =
      Refused(Words(kOne, {"--image", kOne + "/input_0.png", bad, "--together"}));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("1 of 1 conversations could not be used"));
}

TEST(Chat, BeginsALineOfItsOwnBehindAnAnswer) {
  const ScratchFolder scratch;
  const std::string bad = scratch.Write("bad.png", "no picture");
  const SpawnResult result = Spawn({"/bin/sh", "-c",
                                    CommandPath() + " run --model " + kOne + " --image " + kOne +
                                        "/input_0.png " + bad + " --max-new-tokens 3 2>&1"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("\nerror: " + bad));
}

TEST(Chat, RefusesASizeForPicturesThatKeepTheirOwn) {
  EXPECT_THAT(Refused(Words(kOne, {"--image", kOne + "/input_0.png", "--size", "64"})).errors,
              HasSubstr("--size is for models that bring pictures to one size"));
}

TEST(Chat, TakesTheBestTokenAtTemperatureZero) {
  const auto answer = [](const std::vector<std::string>& words) {
    std::vector<std::string> all = {"--image", kOne + "/input_0.png"};
    all.insert(all.end(), words.begin(), words.end());
    return Vernier(Words(kOne, all)).output;
  };
  EXPECT_EQ(answer({"--do-sample", "--temperature", "0"}), answer({}));
  EXPECT_EQ(answer({"--temperature", "0"}), answer({}));
}

TEST(Chat, RefusesTemperaturesAndSharesThatCannotBe) {
  const auto message = [](const char* flag, const char* value) {
    return Refused(Words(kOne, {"--image", kOne + "/input_0.png", "--do-sample", flag, value}))
        .errors;
  };
  EXPECT_THAT(message("--temperature", "-1"), HasSubstr("temperature is -1"));
  EXPECT_THAT(message("--top-p", "0"), HasSubstr("top_p is 0"));
  EXPECT_THAT(message("--repetition-penalty", "0"), HasSubstr("repetition_penalty is 0"));
}

TEST(Chat, TellsWhatIsTooLongByTheNamesOfFlags) {
  const SpawnResult result =
      Refused(Words(kOne, {"--image", kOne + "/input_0.png", "--max-new-tokens", "9999999999"}));
  EXPECT_THAT(result.errors, HasSubstr("lower max_new_tokens or max_length (--max-new-tokens"));
}

}  // namespace
}  // namespace vernier
