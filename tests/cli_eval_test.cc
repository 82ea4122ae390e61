// vernier eval, from its flags to its files, with ends at any point.

#include <filesystem>
#include <fstream>

#include "io/append_file.h"
#include "io/json.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

const std::string kLabels = DigitsModel() + "/labels.csv";

SpawnResult Eval(std::vector<std::string> words, const SpawnOptions& options = {}) {
  std::vector<std::string> command = {"eval", "--model", DigitsModel()};
  command.insert(command.end(), words.begin(), words.end());
  return Vernier(command, options);
}

// The summary of a run that ends well.
Json Summary(std::vector<std::string> words) {
  words.insert(words.end(), {"--json", "-"});
  const SpawnResult result = Eval(words);
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return Json::Parse(result.output, "summary");
}

int64_t LinesOf(const std::string& path) {
  const std::string content = ReadAll(path);
  return std::ranges::count(content, '\n');
}

// A set of the first held-out digits with other rows behind them.
std::string SmallSet(const ScratchFolder& folder, const std::string& more) {
  const std::string digits = DigitsModel() + "/test/";
  return folder.Write("set.csv", "file,label\n" + digits + "0/0030.png,zero\n" + digits +
                                     "0/0055.png,zero\n" + more);
}

TEST(Eval, HoldsTheDigitsModelToItsCard) {
  const Json summary = Summary({"--data", kLabels, "--gate", "top1>=97%"});
  EXPECT_EQ(summary.GetString("kind"), "evaluation");
  EXPECT_EQ(summary.GetString("task"), "classify");
  const Json& top1 = summary.GetArray("metrics").items()[0];
  EXPECT_EQ(top1.GetString("name"), "top1");
  EXPECT_DOUBLE_EQ(top1.GetNumber("value"), 359.0 / 360);
  EXPECT_EQ(top1.GetInt("n"), 360);
  EXPECT_GT(top1.GetNumber("low"), 0.97);
  EXPECT_EQ(summary.GetArray("gates").items()[0].GetString("outcome"), "passed");
  ASSERT_THAT(summary.GetArray("mistakes").items(), SizeIs(1));
  const Json& mistake = summary.GetArray("mistakes").items()[0];
  EXPECT_EQ(mistake.GetString("id"), "test/1/1723.png");
  EXPECT_EQ(mistake.GetString("answer"), "eight");
  EXPECT_EQ(summary.GetArray("command").items()[1].AsString(), "eval");
}

TEST(Eval, EndsInconclusiveWhereSamplesDoNotDecide) {
  const SpawnResult result =
      Eval({"--data", kLabels, "--max-samples", "30", "--gate", "top1>=99%"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.LastErrorLine(),
              AllOf(StartsWith("INCONCLUSIVE | "), HasSubstr("30 samples do not decide")));
}

TEST(Eval, FailsAGateAndSaysWhatWouldPass) {
  const SpawnResult result =
      Eval({"--data", kLabels, "--max-samples", "80", "--gate", "top1>=100%"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("would pass with top1>=0.9875"));
}

TEST(Eval, SearchesByEmbeddingsInFoldersByClass) {
  const Json summary =
      Summary({"--data", DigitsModel() + "/test", "--task", "retrieve", "--metrics", "recall@3"});
  const Json& recall = summary.GetArray("metrics").items()[0];
  EXPECT_EQ(recall.GetString("name"), "recall@3");
  EXPECT_GT(recall.GetNumber("value"), 0.95);
}

TEST(Eval, ComparesBf16WithTheRunInF32) {
  const ScratchFolder folder;
  const std::string f32 = folder.path("f32.jsonl");
  Summary({"--data", kLabels, "--max-samples", "100", "--out", f32});
  const Json summary =
      Summary({"--data", kLabels, "--max-samples", "100", "--dtype", "bf16", "--baseline", f32,
               "--gate", "baseline.top1>=1", "--gate", "delta.top1>=-5%"});
  const Json& baseline = summary.GetObject("baseline");
  EXPECT_EQ(baseline.GetInt("paired"), 100);
  EXPECT_EQ(baseline.GetObject("settings").GetString("dtype"), "f32");
  EXPECT_EQ(baseline.GetInt("changed_count"), 0);
}

TEST(Eval, GoesOnAfterBeingKilledAndEndsWithTheSameTotals) {
  const ScratchFolder folder;
  const std::string out = folder.path("out.jsonl");
  const Json whole = Summary({"--data", kLabels, "--max-samples", "120"});
  // Kills it (no handler runs) once some twenty lines are there.
  const SpawnResult killed = Spawn({"/bin/sh", "-c",
                                    "\"$0\" eval --model \"$1\" --data \"$2\" --batch 1 "
                                    "--max-samples 120 --out \"$3\" >/dev/null 2>&1 & pid=$!\n"
                                    "while [ ! -s \"$3\" ] || [ $(wc -l < \"$3\") -lt 20 ]; do "
                                    "kill -0 $pid || exit 9; sleep 0.01; done\n"
                                    "kill -9 $pid; wait $pid",
                                    CommandPath(), DigitsModel(), kLabels, out});
  EXPECT_EQ(killed.exit_code, 128 + 9);
  const int64_t lines = LinesOf(out);
  ASSERT_GE(lines, 20);
  ASSERT_LT(lines, 121) << "the run ended before it could be killed";
  std::ofstream(out, std::ios::app) << "{\"id\": \"torn";

  const Json resumed = Summary({"--data", kLabels, "--max-samples", "120", "--out", out});
  EXPECT_EQ(resumed.GetObject("counts").GetInt("resumed"), lines - 1);
  EXPECT_EQ(resumed.GetArray("metrics").items().size(), 2u);
  EXPECT_EQ(resumed.Find("metrics")->Compact(), whole.Find("metrics")->Compact());
  EXPECT_EQ(resumed.Find("mistakes")->Compact(), whole.Find("mistakes")->Compact());
  EXPECT_THAT(resumed.GetStrings("warnings")[0], HasSubstr("the last line was incomplete"));
  EXPECT_EQ(LinesOf(out), 121);
}

TEST(Eval, KeepsWhatIsDoneWhenInterrupted) {
  const ScratchFolder folder;
  const std::string out = folder.path("out.jsonl");
  const SpawnResult stopped =
      Spawn({"/bin/sh", "-c",
             "\"$0\" eval --model \"$1\" --data \"$2\" --batch 1 --max-samples 100 --out \"$3\" & "
             "pid=$!\n"
             "while [ ! -s \"$3\" ] || [ $(wc -l < \"$3\") -lt 5 ]; do kill -0 $pid || exit 9; "
             "sleep 0.01; done\n"
             "kill -TERM $pid; wait $pid",
             CommandPath(), DigitsModel(), kLabels, out});
  EXPECT_EQ(stopped.exit_code, 130) << stopped.errors;
  EXPECT_THAT(stopped.LastErrorLine(), HasSubstr("the same command goes on there"));
  EXPECT_GT(Summary({"--data", kLabels, "--max-samples", "100", "--out", out})
                .GetObject("counts")
                .GetInt("resumed"),
            3);
}

TEST(Eval, GoesOnAfterAFullDisk) {
  const ScratchFolder folder;
  const std::string out = folder.path("out.jsonl");
  // Forty blocks of 512 bytes hold some eighty of the 120 lines.
  const SpawnResult full = Spawn(
      {"/bin/sh", "-c",
       "ulimit -f 40; exec \"$0\" eval --model \"$1\" --data \"$2\" --max-samples 120 --out \"$3\"",
       CommandPath(), DigitsModel(), kLabels, out});
  EXPECT_EQ(full.exit_code, 4) << full.errors;
  EXPECT_THAT(full.errors, HasSubstr("cannot write " + out));
  EXPECT_TRUE(ReadAll(out).ends_with('\n'));
  const Json resumed = Summary({"--data", kLabels, "--max-samples", "120", "--out", out});
  EXPECT_GT(resumed.GetObject("counts").GetInt("resumed"), 20);
  EXPECT_DOUBLE_EQ(resumed.GetArray("metrics").items()[0].GetNumber("value"), 119.0 / 120);
}

TEST(Eval, RefusesToGoOnWithOtherSettings) {
  const ScratchFolder folder;
  const std::string out = folder.path("out.jsonl");
  Summary({"--data", kLabels, "--max-samples", "4", "--out", out});
  const SpawnResult bf16 =
      Eval({"--data", kLabels, "--max-samples", "4", "--out", out, "--dtype", "bf16"});
  EXPECT_EQ(bf16.exit_code, 2);
  EXPECT_THAT(bf16.errors, HasSubstr("dtype is \"f32\" there and \"bf16\" here"));
  const SpawnResult more = Eval({"--data", kLabels, "--max-samples", "5", "--out", out});
  EXPECT_THAT(more.errors, HasSubstr("the number of samples is 4 there and 5 here"));
  EXPECT_EQ(LinesOf(out), 5);
}

TEST(Eval, DoesNotShareAResultsFile) {
  const ScratchFolder folder;
  const AppendFile writer(folder.path("out.jsonl"));
  const SpawnResult result = Eval({"--data", kLabels, "--out", folder.path("out.jsonl")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("another process is writing it"));
}

TEST(Eval, NamesAMissingPictureAndGoesOn) {
  const ScratchFolder folder;
  const std::string set = SmallSet(folder, "missing.png,one\n");
  const SpawnResult left_out = Eval({"--data", set});
  EXPECT_EQ(left_out.exit_code, 2);
  EXPECT_THAT(left_out.errors, HasSubstr("error: missing.png: "));
  EXPECT_THAT(left_out.output, HasSubstr("1 could not be used and are left out"));
  EXPECT_THAT(left_out.LastErrorLine(), HasSubstr("1 of 3 samples could not be used"));
  const SpawnResult wrong = Eval({"--data", set, "--failed", "wrong"});
  EXPECT_EQ(wrong.exit_code, 0);
  EXPECT_THAT(wrong.output, AllOf(HasSubstr("count as wrong"), HasSubstr("0.6667")));
  const SpawnResult gated = Eval({"--data", set, "--gate", "top1>=10%"});
  EXPECT_EQ(gated.exit_code, 3);
  EXPECT_THAT(gated.LastErrorLine(), HasSubstr("1 of 3 samples could not be used"));
}

TEST(Eval, ClaimsNothingWithAMadeUpHead) {
  const std::string model = Golden("vit/base_detail");
  const ScratchFolder folder;
  const std::string set = folder.Write("s.csv", "file,label\n" + model + "/input_0.png,LABEL_0\n");
  const SpawnResult result = Vernier({"eval", "--model", model, "--data", set, "--task", "classify",
                                      "--allow-random-head", "--gate", "top5>=0"});
  EXPECT_EQ(result.exit_code, 3) << result.errors;
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("head is made up"));
}

// A question for each picture of a golden, with the texts that transformers generated as answers.
std::string WrittenSet(const ScratchFolder& folder, const std::string& model) {
  const Json run = Json::ParseFile(model + "/case.json").GetArray("runs").items()[0];
  EXPECT_EQ(run.GetString("name"), "greedy");
  Json samples = Json::Array();
  for (const std::string& text : run.GetStrings("text")) {
    const std::string name = "input_" + std::to_string(samples.size()) + ".png";
    folder.Write("png/" + name, ReadAll(model + "/" + name));
    Json sample = Json::Object();
    sample["imgname"] = name;
    sample["label"] = text;
    samples.Append(std::move(sample));
  }
  return folder.Write("test_human.json", samples.Pretty());
}

TEST(Eval, ScoresTextsOnChartQasLayout) {
  const std::string model = Golden("pix2struct/pair_masks");
  const ScratchFolder folder;
  WrittenSet(folder, model);
  const std::string out = folder.path("out.jsonl");
  const SpawnResult result =
      Vernier({"eval", "--model", model, "--data", folder.path(), "--max-new-tokens", "30",
               "--metrics", "exact_match", "--gate", "bleu>=100", "--out", out, "--json", "-"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Json summary = Json::Parse(result.output, "summary");
  EXPECT_EQ(summary.GetString("layout"), "ChartQA");
  EXPECT_EQ(summary.GetString("task"), "answer");
  EXPECT_EQ(summary.GetArray("metrics").items()[0].GetNumber("value"), 1);
  EXPECT_EQ(summary.GetObject("settings").GetObject("generation").GetInt("max_new_tokens"), 30);

  // The published protocol: another setting's answers against this run's.
  const SpawnResult shorter =
      Vernier({"eval", "--model", model, "--data", folder.path(), "--max-new-tokens", "5",
               "--baseline", out, "--gate", "baseline.rouge_l>=1"});
  EXPECT_EQ(shorter.exit_code, 1) << shorter.errors;
  EXPECT_THAT(shorter.output, HasSubstr("2 answers changed"));
  EXPECT_THAT(shorter.LastErrorLine(), HasSubstr("would pass with baseline.rouge_l>="));
}

TEST(Eval, AsksAModelThatReadsItsQuestionAboveThePicture) {
  const std::string model = Golden("pix2struct/vqa_header");
  const ScratchFolder folder;
  const std::string set =
      folder.Write("set.jsonl", "{\"image\": \"" + model +
                                    "/input_0.png\", \"question\": \"How many bars?\", "
                                    "\"answers\": [\"3\", \"three\"]}\n{\"image\": \"" +
                                    model + "/input_1.png\", \"answer\": \"x\"}\n");
  const SpawnResult result = Vernier({"eval", "--model", model, "--data", set, "--metrics",
                                      "relaxed_accuracy", "--max-new-tokens", "4"});
  EXPECT_EQ(result.exit_code, 2) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("error: line 2: "));  // it was asked nothing
  EXPECT_THAT(result.output, HasSubstr("relaxed_accuracy"));
}

TEST(Eval, SaysThatAModelDoesNotWrite) {
  const ScratchFolder folder;
  const std::string set = folder.Write("s.jsonl", "{\"image\": \"a.png\", \"answer\": \"x\"}\n");
  const SpawnResult result = Eval({"--data", set});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("a vit model does not answer in text"));
}

TEST(Eval, TakesPathsThatAreNoUtf8) {
  const ScratchFolder folder;
  std::filesystem::create_directories(folder.path("zero"));
  std::filesystem::copy(DigitsModel() + "/test/0/0030.png", folder.path("zero/\xff.png"));
  const Json summary = Summary({"--data", folder.path(), "--out", folder.path("o.jsonl")});
  EXPECT_EQ(summary.GetArray("metrics").items()[0].GetNumber("value"), 1);
  EXPECT_THAT(ReadAll(folder.path("o.jsonl")), HasSubstr("zero/\\\\xFF.png"));
}

TEST(Eval, FindsWrongFlagsBeforeItRuns) {
  const auto refusal = [](std::vector<std::string> words) {
    const SpawnResult result = Eval(words);
    EXPECT_EQ(result.exit_code, 2) << result.errors;
    return result.errors;
  };
  EXPECT_THAT(refusal({"--data", kLabels, "--max-samples", "0"}), HasSubstr("--max-samples"));
  EXPECT_THAT(refusal({"--data", kLabels, "--gate", "top2>=1"}),
              AllOf(HasSubstr("--gate top2>=1: metric 'top2' does not exist"),
                    HasSubstr("it has top1, top5")));
  EXPECT_THAT(refusal({"--data", kLabels, "--gate", "delta.top1>=0"}),
              HasSubstr("--baseline FILE"));
  EXPECT_THAT(refusal({"--data", kLabels, "--baseline", kLabels, "--gate", "baseline.x>=0"}),
              HasSubstr("there is no metric 'baseline.x'"));
  EXPECT_THAT(refusal({"--data", kLabels, "--baseline", kLabels}),
              HasSubstr("something else than results"));
  EXPECT_THAT(refusal({"--data", "/nowhere"}), HasSubstr("cannot read /nowhere"));
  EXPECT_THAT(refusal({"--data", kLabels, "--task", "answer"}), HasSubstr("needs another set"));
}

TEST(Eval, NamesTheLineOfALabelThatTheModelDoesNotHave) {
  const ScratchFolder folder;
  const SpawnResult result = Eval({"--data", SmallSet(folder, "x.png,zerro\n")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("set.csv:4: the label 'zerro' is none of"),
                                   HasSubstr("did you mean 'zero'?")));
}

}  // namespace
}  // namespace vernier
