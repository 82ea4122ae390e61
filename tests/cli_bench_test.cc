// vernier bench as a user meets it. Nothing here depends on how long anything takes.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "io/json.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> Words(const std::vector<std::string>& more,
                               const std::string& model = Golden("vit/base_detail")) {
  std::vector<std::string> words = {"bench",      "--model", model,      "--runs", "3",
                                    "--min-time", "0",       "--warmup", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

SpawnResult BenchOf(const std::vector<std::string>& more) { return Vernier(Words(more)); }

Json JsonOf(const SpawnResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return Json::Parse(result.output, "output");
}

std::vector<std::string> Hashes(const Json& json) {
  std::vector<std::string> hashes;
  for (const Json& run : json.GetArray("runs").items()) {
    hashes.push_back(run.GetString("outputs_sha256"));
  }
  return hashes;
}

TEST(Bench, WarmsUpAsOftenAsItIsTold) {
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{}, {"--streams", "2", "--threads", "2"}}) {
    std::vector<std::string> words = {"--batch", "1", "--warmup", "13", "--json", "-"};
    words.insert(words.end(), more.begin(), more.end());
    const Json json = JsonOf(Vernier(Words(words)));
    // Enough runs to be steady, or not to be, long before.
    EXPECT_EQ(json.GetArray("runs").items()[0].GetObject("warm_up").GetInt("runs"), 13);
  }
  const SpawnResult shown = BenchOf({"--batch", "1", "--warmup", "2"});
  EXPECT_THAT(shown.output, Not(HasSubstr("steadiness")));  // two runs cannot show it
}

TEST(Bench, WritesTheFiguresThatOthersRelyOn) {
  const Json json = JsonOf(BenchOf({"--batch", "1,2", "--dtype", "f32,bf16", "--json", "-"}));
  ASSERT_THAT(json.GetArray("runs").items(), SizeIs(4));
  for (const Json& run : json.GetArray("runs").items()) {
    for (const char* field :
         {"median_ms", "mean_ms", "min_ms", "max_ms", "std_ms", "p50_ms", "p90_ms", "p95_ms",
          "p99_ms", "throughput_per_s", "first_run_ms", "load_ms", "peak_rss_bytes", "packed_bytes",
          "arena_bytes", "anonymous_bytes"}) {
      EXPECT_GE(run.GetNumber(field), 0) << field;
    }
    EXPECT_THAT(run.GetNumbers("samples_ms"), SizeIs(3));
    EXPECT_TRUE(run.Get("p99_9_ms").is_null());  // three samples have none
    EXPECT_THAT(run.GetArray("certified").items(), SizeIs(4));
    EXPECT_EQ(run.GetObject("warm_up").GetString("steadiness"), "not judged");
    EXPECT_GE(run.GetObject("drift").GetNumber("p_value"), 0);
    EXPECT_EQ(run.GetInt("height"), 40);
    EXPECT_TRUE(run.GetBool("outputs_repeat"));
  }
  EXPECT_TRUE(json.GetBool("complete"));
  EXPECT_FALSE(json.GetObject("machine").GetString("cpu_model").empty());
  EXPECT_THAT(json.GetString("command"), StartsWith("vernier bench --model "));
}

TEST(Bench, GivesTheSameOutputsTwice) {
  const std::vector<std::string> words = {"--batch",   "1,2", "--dtype", "f32,bf16",
                                          "--threads", "1",   "--json",  "-"};
  const std::vector<std::string> first = Hashes(JsonOf(BenchOf(words)));
  EXPECT_EQ(first, Hashes(JsonOf(BenchOf(words))));
  EXPECT_THAT(std::set(first.begin(), first.end()), SizeIs(4));  // and tells settings apart
}

TEST(Bench, GivesTheSameOutputsWithAndWithoutAProfile) {
  const std::vector<std::string> words = {"--batch", "2", "--threads", "1", "--json", "-"};
  std::vector<std::string> profiled = words;
  profiled.push_back("--profile");
  EXPECT_EQ(Hashes(JsonOf(BenchOf(words))), Hashes(JsonOf(BenchOf(profiled))));
}

TEST(Bench, ShowsATableWithin80Columns) {
  const SpawnResult result = BenchOf({"--profile", "--batch", "1", "--b-is-not-a-flag"});
  EXPECT_EQ(result.exit_code, 2);
  const SpawnResult shown =
      Vernier(Words({"--profile", "--batch", "1"}, Golden("pe_lang/pair_timm")));
  EXPECT_EQ(shown.exit_code, 0) << shown.errors;
  for (const char* part : {"median", "95 % interval", "images/s", "Profile of f32", "% comp",
                           "Most time above what the machine needs:\n- "}) {
    EXPECT_THAT(shown.output, HasSubstr(part));
  }
  size_t begin = shown.output.find('\n') + 1;  // the machine's line is as long as its names
  for (size_t end; (end = shown.output.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = shown.output.substr(begin, end - begin);
    const size_t ellipsis_bytes = line.find("…") == std::string::npos ? 0 : 2;
    EXPECT_LE(line.size() - ellipsis_bytes, 80u) << line;
  }
  EXPECT_THAT(shown.LastErrorLine(), StartsWith("PASSED | "));
}

TEST(Bench, MeasuresSessionsSideBySide) {
  const Json json = JsonOf(BenchOf({"--batch", "1", "--threads", "2", "--streams", "1,2",
                                    "--branches", "serial,parallel", "--json", "-"}));
  ASSERT_THAT(json.GetArray("runs").items(), SizeIs(4));
  const auto runs = json.GetArray("runs").items();
  EXPECT_EQ(runs[0].GetInt("streams"), 1);
  EXPECT_EQ(runs[2].GetInt("streams"), 2);
  EXPECT_EQ(runs[3].GetString("branches"), "parallel");
  EXPECT_EQ(runs[2].GetString("outputs_sha256"), runs[3].GetString("outputs_sha256"));
  EXPECT_GE(runs[2].GetInt("runs"), 3);
  EXPECT_EQ(runs[2].GetInt("packed_bytes"), 2 * runs[0].GetInt("packed_bytes"));
}

TEST(Bench, TimesTopFeaturesAtAllPlacesOrLeavesThemOut) {
  const Json json =
      JsonOf(Vernier(Words({"--batch", "1", "--top-features", "sparse,dense", "--json", "-"},
                           Golden("blendmask/lite_bn"))));
  const auto runs = json.GetArray("runs").items();
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].GetString("top_features"), "sparse");
  EXPECT_EQ(runs[1].GetString("top_features"), "dense");
  EXPECT_NE(runs[0].GetString("outputs_sha256"), runs[1].GetString("outputs_sha256"));
}

TEST(Bench, GoesOnAfterAConfigurationThatFails) {
  const ScratchFolder folder;
  const std::string file = folder.path("out.json");
  const SpawnResult result =
      BenchOf({"--batch", "1", "--size", "48,40", "--dtype", "f32", "--json", file});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("failed: "));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("1 of 2 configurations failed"));
  const Json json = Json::ParseFile(file);
  EXPECT_FALSE(json.GetBool("complete"));
  ASSERT_THAT(json.GetArray("runs").items(), SizeIs(2));
  EXPECT_EQ(json.GetArray("runs").items()[0].GetObject("error").GetString("kind"), "input");
  EXPECT_GT(json.GetArray("runs").items()[1].GetNumber("median_ms"), 0);
}

TEST(Bench, SaysWhyStreamsCannotShareTheThreads) {
  const SpawnResult result = BenchOf({"--threads", "1", "--streams", "2", "--batch", "1"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("2 streams cannot share 1 thread equally"));
  EXPECT_THAT(result.errors, HasSubstr("hint: --threads counts those of all streams together"));
}

TEST(Bench, KeepsWhatItHasWhenInterrupted) {
  const ScratchFolder folder;
  const std::string file = folder.path("out.json");
  const SpawnResult result = Vernier({"bench", "--model", Golden("vit/base_detail"), "--batch",
                                      "1-1000", "--runs", "50", "--json", file},
                                     {.signal_after_ms = 3000});
  EXPECT_EQ(result.exit_code, 130) << result.errors;
  const Json json = Json::ParseFile(file);
  EXPECT_FALSE(json.GetBool("complete"));
  EXPECT_THAT(json.GetArray("runs").items(), Not(SizeIs(1000)));
}

TEST(Bench, AnswersEachLineInLockstep) {
  const SpawnResult result =
      Spawn({"/bin/sh", "-c", "printf 'go\\ngo\\n' | exec \"$0\" bench --model \"$1\" --lockstep",
             CommandPath(), Golden("vit/base_detail")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, ::testing::MatchesRegex("[0-9.]+\n[0-9.]+\n"));
  EXPECT_THAT(result.errors, HasSubstr("ready vernier "));
}

TEST(Bench, GivesAnotherProgramTheSameWork) {
  const ScratchFolder folder;
  const std::string words = folder.path("words");
  const std::string program = folder.Write(
      "old", "#!/bin/sh\necho \"$@\" > " + words + "\nexec " + CommandPath() + " \"$@\"\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  for (const std::string tokens : {"3", "0"}) {
    const SpawnResult result =
        Vernier({"bench", "--model", Golden("pix2struct/page_greedy"), "--patches", "16",
                 "--new-tokens", tokens, "--runs", "2", "--min-time", "0", "--a", "dtype=f32",
                 "--b", "program=" + program});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    std::ifstream file(words);
    const std::string told((std::istreambuf_iterator<char>(file)), {});
    EXPECT_THAT(told, HasSubstr("--patches 16 --new-tokens " + tokens));
  }
}

TEST(BenchLadder, ClimbsThePublishedRungs) {
  const ScratchFolder folder;
  const std::string file = folder.path("ladder.json");
  const SpawnResult result =
      Vernier(Words({"--ladder", Golden("blendmask/lite_bn"), "--threads", "2", "--json", file},
                    Golden("blendmask/lite_gn")));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* part : {"GN, nothing fused, f32", "BN folded, bf16", "… malloc with huge pages",
                           "2.03x", "… heads in parallel over BN folded, bf16: "}) {
    EXPECT_THAT(result.output, HasSubstr(part));
  }
  const Json json = Json::ParseFile(file);
  ASSERT_THAT(json.GetArray("runs").items(), SizeIs(6));
  ASSERT_THAT(json.GetArray("ladders").items(), SizeIs(1));
  const auto rungs = json.GetArray("ladders").items()[0].GetArray("rungs").items();
  ASSERT_THAT(rungs, SizeIs(6));
  EXPECT_GT(rungs[5].GetNumber("gain"), 0);
  EXPECT_EQ(rungs[5].GetString("over_verdict"), "cannot tell");  // of three turns
  EXPECT_EQ(json.GetArray("runs").items()[5].GetString("side"), "… heads in parallel");
}

TEST(BenchLadder, TakesRungsOfItsUsersAtEachBatch) {
  const Json json = JsonOf(BenchOf({"--batch", "1,2", "--rung", "a:threads=1", "--rung",
                                    "b:threads=1,env=OMP_WAIT_POLICY=passive", "--json", "-"}));
  const auto ladders = json.GetArray("ladders").items();
  ASSERT_THAT(ladders, SizeIs(2));
  EXPECT_EQ(ladders[1].GetInt("batch"), 2);
  EXPECT_EQ(ladders[1].GetArray("rungs").items()[1].GetInt("run"), 3);
}

TEST(BenchLadder, GoesOnAfterARungThatCannotBeMadeReady) {
  const SpawnResult result = BenchOf(
      {"--rung", "a:threads=1", "--rung", "b:model=/no/such/folder", "--rung", "c:threads=1"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("failed: "));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("1 of 3 configurations failed"));
}

TEST(BenchLadder, SaysWhyARungInAProcessOfItsOwnFailed) {
  const SpawnResult result = BenchOf(
      {"--rung", "a:threads=1", "--rung", "b:model=/no/such/folder,env=OMP_WAIT_POLICY=passive"});
  EXPECT_THAT(result.output, HasSubstr("failed: model folder /no/such/folder"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("1 of 2 configurations failed"));
}

TEST(Bench, TellsTheErrorOfTheOtherProgramAsItsOwn) {
  const std::string wrong = "model=/no/such/folder";
  const SpawnResult own = BenchOf({"--a", "threads=1", "--b", wrong});
  const std::string& program = CommandPath();
  const SpawnResult other = BenchOf({"--a", "threads=1", "--b", wrong + ",program=" + program});
  EXPECT_EQ(own.exit_code, 2);
  EXPECT_EQ(other.exit_code, own.exit_code);
  constexpr std::string_view kError = "error: ";
  const size_t begin = own.errors.find(kError) + kError.size();
  const std::string said = own.errors.substr(begin, own.errors.find("FAILED") - begin);
  EXPECT_THAT(said, HasSubstr("hint: "));
  EXPECT_THAT(other.errors, HasSubstr(program + ": " + said));
}

TEST(BenchLadder, SaysWhatItCannotBeUsedWith) {
  EXPECT_THAT(BenchOf({"--rung", "a:threads=1"}).errors, HasSubstr("one --rung is no ladder"));
  EXPECT_THAT(BenchOf({"--rung", "a:threads=1", "--b", "threads=1"}).errors,
              HasSubstr("--rung and --ladder stand alone"));
  EXPECT_THAT(BenchOf({"--rung", "a:threads=1", "--rung", "b:batch=9"}).errors,
              HasSubstr("rung 'b': all rungs have the batch of the ladder"));
  EXPECT_THAT(BenchOf({"--rung", "a:threads=1", "--rung", "b:env=X"}).errors,
              HasSubstr("rung 'b': env=X: expected NAME=VALUE"));
}

TEST(Bench, TellsWhatFindingTheObjectsTakes) {
  const Json json =
      JsonOf(Vernier(Words({"--batch", "2", "--json", "-"}, Golden("blendmask/lite_bn"))));
  const Json& run = json.GetArray("runs").items()[0];
  EXPECT_GT(run.GetObject("detection").GetNumber("median_ms"), 0);
  EXPECT_LT(run.GetObject("detection").GetNumber("share"), 1);
  EXPECT_GE(run.GetObject("detection").GetNumber("objects_per_picture"), 0);
}

TEST(Bench, NamesTheFlagThatCannotBeRead) {
  const auto errors = [](const std::string& flag, const std::string& value) {
    const SpawnResult result =
        Vernier({"bench", "--model", Golden("vit/base_detail"), flag, value});
    EXPECT_EQ(result.exit_code, 2) << flag << " " << value;
    return result.errors;
  };
  EXPECT_THAT(errors("--batch", "0"), HasSubstr("--batch: expected positive whole numbers"));
  EXPECT_THAT(errors("--threads", "x"), HasSubstr("--threads: expected positive whole numbers"));
  EXPECT_THAT(errors("--streams", "0"), HasSubstr("--streams: expected positive whole numbers"));
  EXPECT_THAT(errors("--dtype", "f64"),
              HasSubstr("--dtype: expected f32 or bf16 or int8, found 'f64'"));
  EXPECT_THAT(errors("--branches", "both"),
              HasSubstr("--branches: expected serial or parallel, found 'both'"));
  EXPECT_THAT(errors("--top-features", "all"),
              HasSubstr("--top-features: expected sparse or dense, found 'all'"));
  EXPECT_THAT(errors("--top-features", "dense"),
              HasSubstr("dense top features: a vit model has none"));
  EXPECT_THAT(errors("--threads", "1,5000"),
              HasSubstr("--threads: expected whole numbers from 1 to 4096, found 5000"));
  EXPECT_THAT(errors("--size", "40,"), HasSubstr("--size: expected PIXELS or HEIGHTxWIDTH"));
  EXPECT_THAT(errors("--min-time", "-1"), HasSubstr("--min-time: expected 0 to 86400 seconds"));
  EXPECT_THAT(errors("--min-time", "nan"), HasSubstr("--min-time"));
  EXPECT_THAT(errors("--scenario", "server"), HasSubstr("--scenario"));
  EXPECT_THAT(errors("--lockstep", "x"), HasSubstr("unexpected argument 'x'"));
  EXPECT_THAT(errors("--a", "dtype=f32"), HasSubstr("--a needs --b"));
  EXPECT_THAT(errors("--fail-if-slower", "5%"),
              HasSubstr("--fail-if-slower needs something to compare with"));
}

TEST(Bench, RefusesFlagsThatCannotBeUsedTogether) {
  EXPECT_THAT(BenchOf({"--b", "dtype=bf16", "--against", "x.json"}).errors,
              HasSubstr("--b and --against cannot be used together"));
  EXPECT_THAT(BenchOf({"--b", "dtype=bf16", "--profile"}).errors,
              HasSubstr("--b cannot be used with --profile, --trace or --scenario"));
  EXPECT_THAT(BenchOf({"--lockstep", "--batch", "1,2"}).errors,
              HasSubstr("--lockstep measures one configuration"));
}

TEST(BenchScenario, ReportsTheFigureOfTheRules) {
  const auto scenario = [](const std::string& name) {
    const Json json = JsonOf(BenchOf({"--scenario", name, "--json", "-"}));
    return json.GetArray("runs").items()[0].GetObject("scenario");
  };
  const Json single = scenario("single-stream");
  EXPECT_EQ(single.GetInt("samples_per_query"), 1);
  EXPECT_TRUE(single.Get("value").is_null());  // three queries
  const Json multi = scenario("multi-stream");
  EXPECT_EQ(multi.GetInt("samples_per_query"), 8);
  EXPECT_THAT(multi.GetString("metric"), HasSubstr("99th percentile"));
  const Json offline = scenario("offline");
  EXPECT_GT(offline.GetNumber("value"), 0);
  EXPECT_EQ(offline.GetString("unit"), "samples/s");
  EXPECT_THAT(offline.GetStrings("short_of_rules"), SizeIs(2));
}

TEST(BenchScenario, AnswersAQueryInBatchesThatDivideIt) {
  const Json json = JsonOf(BenchOf({"--scenario", "multi-stream", "--batch", "4", "--json", "-"}));
  EXPECT_EQ(json.GetArray("runs").items()[0].GetObject("scenario").GetInt("samples"), 24);
  EXPECT_THAT(BenchOf({"--scenario", "single-stream", "--batch", "2"}).errors,
              HasSubstr("a query of 1 sample cannot be answered in batches of 2"));
}

TEST(BenchProfile, CountsTheNodesOfThePlan) {
  const ScratchFolder folder;
  const std::string trace = folder.path("trace.json");
  const Json json = JsonOf(BenchOf({"--batch", "1", "--trace", trace, "--json", "-"}));
  const Json& profile = json.GetArray("runs").items()[0].GetObject("profile");
  EXPECT_GT(profile.GetObject("peaks").GetNumber("f32_gflops"), 0);
  EXPECT_THAT(profile.GetStrings("wasteful"), SizeIs(10));
  const size_t nodes = profile.GetArray("nodes").size();
  const size_t runs = static_cast<size_t>(profile.GetInt("runs"));
  size_t slices = 0;
  const Json timeline = Json::ParseFile(trace);
  for (const Json& event : timeline.GetArray("traceEvents").items()) {
    slices += event.GetString("ph") == "X";
  }
  EXPECT_EQ(slices, runs * (nodes + 1));
}

TEST(BenchPair, TimesTwoSettingsAlternately) {
  const Json json = JsonOf(BenchOf({"--b", "dtype=bf16,threads=1", "--json", "-"}));
  ASSERT_THAT(json.GetArray("runs").items(), SizeIs(2));
  EXPECT_EQ(json.GetArray("runs").items()[1].GetString("side"), "B");
  EXPECT_EQ(json.GetArray("runs").items()[1].GetString("setting"), "dtype=bf16,threads=1");
  const Json& pair = json.GetArray("comparisons").items()[0];
  EXPECT_TRUE(pair.GetBool("paired"));
  EXPECT_EQ(pair.GetString("evidence"), "alternating");
  EXPECT_EQ(pair.GetString("verdict"), "cannot tell");  // three pairs never tell
  EXPECT_FALSE(pair.GetBool("same_outputs"));
}

TEST(BenchPair, SeesThatEqualSettingsGiveEqualBytes) {
  const SpawnResult result = BenchOf({"--a", "threads=1", "--b", "threads=1"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("Outputs: the same bytes"));
  EXPECT_THAT(result.output, HasSubstr("cannot tell: 3 samples a side, at least 10 are needed"));
}

TEST(BenchPair, TimesOtherPrograms) {
  const Json json = JsonOf(BenchOf({"--b", "program=" + CommandPath(), "--json", "-"}));
  const Json& pair = json.GetArray("comparisons").items()[0];
  EXPECT_THAT(pair.GetString("b"), HasSubstr("program /"));
  EXPECT_TRUE(pair.Get("same_outputs").is_null());
  const SpawnResult missing = BenchOf({"--b", "program=/no/such/vernier"});
  EXPECT_EQ(missing.exit_code, 4);
  EXPECT_THAT(missing.errors, HasSubstr("cannot start /no/such/vernier"));
  const SpawnResult no_bench = BenchOf({"--b", "program=/bin/false"});
  EXPECT_EQ(no_bench.exit_code, 4);
  EXPECT_THAT(no_bench.errors, HasSubstr("/bin/false ended with exit code 1"));
}

TEST(BenchPair, NamesTheSettingThatCannotBeRead) {
  const SpawnResult unknown = BenchOf({"--b", "dtipe=bf16"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("--b: setting 'dtipe=bf16': unknown key 'dtipe'"));
  EXPECT_THAT(unknown.errors, HasSubstr("did you mean dtype?"));
  EXPECT_THAT(BenchOf({"--a", "onednn=maybe", "--b", "dtype=bf16"}).errors,
              HasSubstr("--a: setting 'onednn=maybe'"));
  EXPECT_THAT(BenchOf({"--b", "batch=0"}).errors,
              HasSubstr("--b: expected positive whole numbers, found '0'"));
  EXPECT_THAT(BenchOf({"--b", "batch=1,batch=2-4"}).errors,
              HasSubstr("--b: batch=2-4: expected one number"));
  EXPECT_THAT(BenchOf({"--b", "dtype=bf16", "--threads", "1,2"}).errors,
              HasSubstr("2 configurations on one side of a comparison"));
  EXPECT_THAT(BenchOf({"--b", "model=/no/such/model"}).errors, HasSubstr("/no/such/model"));
}

TEST(BenchGeneration, TimesTheFirstTokenAndThoseAfterIt) {
  const std::vector<std::string> words = Words(
      {"--batch", "1,2", "--patches", "32", "--new-tokens", "5", "--threads", "1", "--json", "-"},
      Golden("pix2struct/page_greedy"));
  const Json json = JsonOf(Vernier(words));
  const auto runs = json.GetArray("runs").items();
  ASSERT_THAT(runs, SizeIs(2));
  const Json& writing = runs[1].GetObject("generation");
  EXPECT_EQ(runs[1].GetInt("patches"), 32);
  EXPECT_EQ(writing.GetInt("rows"), 2);
  EXPECT_EQ(writing.GetInt("new_tokens"), 5);
  EXPECT_THAT(writing.GetNumbers("first_token_samples_ms"), SizeIs(3));
  EXPECT_THAT(writing.GetNumbers("inter_token_samples_ms"), SizeIs(3 * 4));
  EXPECT_THAT(writing.GetNumbers("memory_gb_per_s"), SizeIs(0));
  EXPECT_GE(writing.GetObject("first_token").GetNumber("median_ms"),
            writing.GetObject("encode").GetNumber("median_ms"));
  EXPECT_GT(writing.GetNumber("decode_tokens_per_s"), 0);
  EXPECT_EQ(Hashes(json), Hashes(JsonOf(Vernier(words))));
}

TEST(BenchGeneration, OnlyEncodesWhenNoTokenIsWanted) {
  const Json json =
      JsonOf(Vernier(Words({"--batch", "1", "--patches", "32", "--new-tokens", "0", "--json", "-"},
                           Golden("pix2struct/page_greedy"))));
  EXPECT_FALSE(json.GetArray("runs").items()[0].Has("generation"));
}

TEST(BenchGeneration, RefusesTokensOfAModelThatWritesNone) {
  const std::string refusal = "--new-tokens is for models that write text; this one is a vit model";
  const std::vector<std::string> asked = {"--batch", "1", "--new-tokens", "5"};
  for (const std::vector<std::string>& way : std::vector<std::vector<std::string>>{
           {}, {"--lockstep"}, {"--devices", "cpu"}, {"--b", "dtype=bf16"}}) {
    std::vector<std::string> words = asked;
    words.insert(words.end(), way.begin(), way.end());
    const SpawnResult result = BenchOf(words);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.errors, AllOf(HasSubstr(refusal), HasSubstr("leave --new-tokens away")));
  }
  EXPECT_EQ(BenchOf({"--batch", "1", "--new-tokens", "0"}).exit_code, 0);
}

TEST(BenchGeneration, ProfilesEveryPartOfTheModel) {
  const std::vector<std::string> words = {"--batch",      "1", "--patches", "32",
                                          "--new-tokens", "2", "--profile"};
  const std::string shown = Vernier(Words(words, Golden("pix2struct/page_greedy"))).output;
  EXPECT_THAT(shown, HasSubstr("the encoding of a batch and the first step of its answers"));
  EXPECT_THAT(shown, testing::ContainsRegex("encoder \\([0-9]+\\).*\n.*memory \\([0-9]+\\).*\n.*"
                                            "decoder \\([0-9]+\\)"));
}

TEST(BenchGeneration, ProfilesReadMemoryAfterEachRun) {
  std::vector<std::string> words = {"--batch", "1",         "--patches", "32", "--new-tokens",
                                    "2",       "--profile", "--json",    "-"};
  const Json json = JsonOf(Vernier(Words(words, Golden("pix2struct/page_greedy"))));
  const Json& run = json.GetArray("runs").items()[0];
  const std::vector<double> memory = run.GetObject("generation").GetNumbers("memory_gb_per_s");
  EXPECT_THAT(memory, SizeIs(run.GetNumbers("samples_ms").size()));
  EXPECT_THAT(memory, testing::Each(testing::Gt(0)));
  words.resize(words.size() - 2);
  EXPECT_THAT(Vernier(Words(words, Golden("pix2struct/page_greedy"))).output,
              testing::ContainsRegex("memory gave +[0-9.]+ GB/s after the runs"));
}

TEST(BenchGeneration, SaysItInWords) {
  const SpawnResult result = Vernier(Words({"--batch", "1", "--patches", "32", "--new-tokens", "3"},
                                           Golden("pix2struct/page_greedy")));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("3 new tokens: the first after "));
}

// Three pairs cannot decide a gate, so that the outcome does not depend on this machine.
TEST(BenchGate, IsInconclusiveWithTooFewSamples) {
  const SpawnResult result = BenchOf({"--b", "onednn=off", "--fail-if-slower", "5%"});
  EXPECT_EQ(result.exit_code, 3) << result.errors;
  EXPECT_THAT(result.LastErrorLine(), StartsWith("INCONCLUSIVE | "));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("too few samples to say whether B is more than"));
}

TEST(BenchGate, RefusesABoundThatIsNoPercentage) {
  for (const char* bound : {"5", "%", "x%", "nan%", "5%%"}) {
    EXPECT_THAT(BenchOf({"--b", "dtype=bf16", "--fail-if-slower", bound}).errors,
                HasSubstr(std::string("--fail-if-slower: expected a percentage such as 5%, "
                                      "found '") +
                          bound))
        << bound;
  }
}

// An earlier result on this machine, with every time multiplied.
std::string EarlierFile(const ScratchFolder& folder, double factor, const std::string& cpu = "") {
  const std::string file = folder.path("earlier.json");
  const SpawnResult result = Vernier({"bench", "--model", Golden("vit/base_detail"), "--batch", "1",
                                      "--runs", "12", "--min-time", "0", "--json", file});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  Json json = Json::ParseFile(file);
  Json samples = Json::Array();
  for (double ms : json.GetArray("runs").items()[0].GetNumbers("samples_ms")) {
    samples.Append(ms * factor);
  }
  Json run = json.GetArray("runs").items()[0];
  run["samples_ms"] = samples;
  Json runs = Json::Array();
  runs.Append(run);
  json["runs"] = runs;
  if (!cpu.empty()) json["machine"]["cpu_model"] = cpu;
  return folder.Write("other.json", json.Pretty());
}

SpawnResult Against(const std::string& file, const std::string& batch = "1") {
  return Vernier({"bench", "--model", Golden("vit/base_detail"), "--batch", batch, "--runs", "12",
                  "--min-time", "0", "--against", file, "--fail-if-slower", "50%"});
}

TEST(BenchAgainst, FailsWhenTheEarlierRunWasFarFaster) {
  const ScratchFolder folder;
  const SpawnResult result = Against(EarlierFile(folder, 1e-6));
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("Gate failed: B is more than 50 % slower than A"));
  EXPECT_THAT(result.output, HasSubstr("Weaker evidence: A was measured at another time"));
  EXPECT_THAT(result.output, HasSubstr("Outputs: the same bytes"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("it would pass at "));
}

TEST(BenchAgainst, PassesWhenTheEarlierRunWasFarSlower) {
  const ScratchFolder folder;
  const SpawnResult result = Against(EarlierFile(folder, 1e6));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("Gate passed"));
}

TEST(BenchAgainst, CannotDecideAgainstAnotherMachine) {
  const ScratchFolder folder;
  const SpawnResult result = Against(EarlierFile(folder, 1e-6, "Another CPU"));
  EXPECT_EQ(result.exit_code, 3) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("on another machine"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("processor 'Another CPU', now '"));
}

TEST(BenchAgainst, SaysWhichConfigurationsAreNotInTheFile) {
  const ScratchFolder folder;
  const SpawnResult result = Against(EarlierFile(folder, 1e6), "1,2");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors, HasSubstr("holds no run of f32, "));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("1 configurations have nothing to be compared"));
}

TEST(BenchAgainst, NamesAFileThatIsNoResult) {
  const ScratchFolder folder;
  const SpawnResult foreign = Against(folder.Write("x.json", "{\"model\": \"vit\"}"));
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_THAT(foreign.errors, HasSubstr("expected a result of vernier bench, found other JSON"));
  EXPECT_EQ(Against(folder.Write("y.json", "{\"runs\": [")).exit_code, 2);
  const SpawnResult missing = Against(folder.path("none.json"));
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.errors, HasSubstr("none.json"));
}

TEST(BenchFiles, SayWhenTheyCannotBeWritten) {
  const ScratchFolder folder;
  const std::string nowhere = folder.path("no/such/folder/out.json");
  const SpawnResult result = BenchOf({"--batch", "1", "--json", nowhere});
  EXPECT_THAT(result.exit_code, AnyOf(Eq(2), Eq(4)));
  EXPECT_THAT(result.output, Not(HasSubstr("median")));  // before anything was measured
  for (const char* flag : {"--json", "--trace"}) {
    const SpawnResult full = BenchOf({"--batch", "1", flag, "/dev/full"});
    EXPECT_EQ(full.exit_code, 4) << flag;
    EXPECT_THAT(full.errors, HasSubstr("No space left on device")) << flag;
  }
}

}  // namespace
}  // namespace vernier
