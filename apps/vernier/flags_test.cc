#include "flags.h"

#include <map>

#include "help.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Options {
  std::string model;
  std::vector<std::string> images;
  int64_t runs = 20;
  double scale = 0.5;
  std::string dtype = "f32";
  bool unfused = false;
  int64_t workers = 1;
  std::string json, trace;
};

std::vector<Flag> Table(Options& options) {
  return {{.name = "--model",
           .metavar = "DIR",
           .section = "Input",
           .help = "Checkpoint folder.",
           .target = &options.model,
           .completion = Completion::kFolder,
           .required = true},
          {.name = "--image",
           .metavar = "FILE",
           .section = "Input",
           .help = "Pictures.",
           .target = &options.images},
          {.name = "--runs",
           .metavar = "N",
           .section = "Timing",
           .help = "Samples.",
           .target = &options.runs,
           .unit = "runs",
           .least = 1},
          {.name = "--scale",
           .metavar = "X",
           .section = "Timing",
           .help = "A factor.",
           .target = &options.scale},
          {.name = "--dtype",
           .metavar = "TYPE",
           .section = "Timing",
           .help = "Precision.",
           .target = &options.dtype,
           .choices = {"f32", "bf16"}},
          {.name = "--un-fused",
           .metavar = "",
           .section = "Timing",
           .help = "No fusion.",
           .target = &options.unfused},
          {.name = "--workers",
           .metavar = "N",
           .section = "Timing",
           .help = "Threads.",
           .target = &options.workers,
           .least = 1,
           .most = 64},
          {.name = "--json",
           .metavar = "FILE",
           .section = "Output",
           .help = "Results.",
           .target = &options.json,
           .writes = true},
          {.name = "--trace",
           .metavar = "FILE",
           .section = "Output",
           .help = "A timeline.",
           .target = &options.trace,
           .writes = true}};
}

const char* NoEnvironment(const char*) { return nullptr; }

std::string MessageOf(std::vector<std::string> args) {
  Options options;
  try {
    ParseFlags(Table(options), args, NoEnvironment);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "accepted";
}

TEST(Flags, KeepDigitsInTheNamesOfEnvironmentVariables) {
  EXPECT_EQ(EnvironmentName({.name = "--rescale-16bit"}), "VERNIER_RESCALE_16BIT");
}

TEST(Flags, FillTheirTargets) {
  Options options;
  const std::vector<std::string> args = {"--model",  "m",       "--image",   "a.png",   "b.png",
                                         "--runs=3", "--image", "c d.png",   "--scale", "-1.5",
                                         "--dtype",  "bf16",    "--un-fused"};
  ParseFlags(Table(options), args, NoEnvironment);
  EXPECT_EQ(options.model, "m");
  EXPECT_THAT(options.images, ElementsAre("a.png", "b.png", "c d.png"));
  EXPECT_EQ(options.runs, 3);
  EXPECT_EQ(options.scale, -1.5);
  EXPECT_EQ(options.dtype, "bf16");
  EXPECT_TRUE(options.unfused);
}

TEST(Flags, TakeTheEnvironmentWhereNoFlagIsGiven) {
  Options options;
  const std::map<std::string, const char*> values = {{"VERNIER_MODEL", "from-env"},
                                                     {"VERNIER_RUNS", "7"},
                                                     {"VERNIER_UN_FUSED", "yes"},
                                                     {"VERNIER_IMAGE", "a.png\nb.png"}};
  const auto environment = [&](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second;
  };
  const std::vector<Flag> table = Table(options);
  const std::vector<std::string> args = {"--runs", "9"};
  const ParsedFlags parsed = ParseFlags(table, args, environment);
  EXPECT_EQ(options.model, "from-env");
  EXPECT_EQ(options.runs, 9);
  EXPECT_TRUE(options.unfused);
  EXPECT_THAT(options.images, ElementsAre("a.png", "b.png"));
  const std::string config = ConfigText(table, parsed);
  EXPECT_THAT(config, HasSubstr("--model = from-env  (environment VERNIER_MODEL)\n"));
  EXPECT_THAT(config, HasSubstr("--runs = 9  (flag)\n"));
  EXPECT_THAT(config, HasSubstr("--scale = 0.5  (default)\n"));
}

TEST(Flags, NameTheEnvironmentVariableThatCannotBeRead) {
  Options options;
  const auto environment = [](const char* name) -> const char* {
    return std::string_view(name) == "VERNIER_RUNS" ? "many" : nullptr;
  };
  try {
    ParseFlags(Table(options), {}, environment);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "environment variable VERNIER_RUNS: --runs: expected a whole number of at least 1, "
              "found 'many'");
  }
}

TEST(Flags, SayWhatWasExpectedAndFound) {
  EXPECT_EQ(MessageOf({"--runs", "x"}), "--runs: expected a whole number of at least 1, found 'x'");
  EXPECT_EQ(MessageOf({"--runs", "0"}), "--runs: expected a whole number of at least 1, found '0'");
  EXPECT_EQ(MessageOf({"--scale", "1,5"}), "--scale: expected a number, found '1,5'");
  EXPECT_EQ(MessageOf({"--dtype", "f64"}), "--dtype: expected one of f32, bf16, found 'f64'");
  EXPECT_EQ(MessageOf({"--un-fused=maybe"}), "--un-fused: expected true or false, found 'maybe'");
}

TEST(Flags, SayBothBoundsOfANumberThatHasTwo) {
  for (const char* number : {"0", "65", "99999999999999999999"}) {
    EXPECT_EQ(
        MessageOf({"--workers", number}),
        std::string("--workers: expected a whole number from 1 to 64, found '") + number + "'");
  }
}

TEST(Flags, RefuseTwoResultsInOneFile) {
  EXPECT_THAT(MessageOf({"--model", "m", "--json", "out/a.json", "--trace", "out/../out/a.json"}),
              testing::StartsWith("--json and --trace would both write out/../out/a.json"));
  EXPECT_EQ(MessageOf({"--model", "m", "--json", "a.json", "--trace", "b.json"}), "accepted");
  EXPECT_EQ(MessageOf({"--model", "m", "--json", "-", "--trace", "-"}), "accepted");
}

TEST(Flags, SuggestTheNearestName) {
  EXPECT_EQ(MessageOf({"--modle", "x"}), "unknown flag '--modle' (did you mean --model?)");
  EXPECT_EQ(MessageOf({"--zebra"}), "unknown flag '--zebra' (--help lists the flags)");
}

TEST(Flags, AskForWhatIsMissing) {
  EXPECT_EQ(MessageOf({}), "--model DIR is missing (Checkpoint folder.)");
  EXPECT_EQ(MessageOf({"--model"}), "--model needs a value: --model DIR");
  EXPECT_EQ(MessageOf({"--model", "--runs"}), "--model needs a value: --model DIR");
}

TEST(Flags, RefuseWordsThatBelongToNoFlag) {
  EXPECT_EQ(MessageOf({"--model", "m", "stray"}),
            "unexpected argument 'stray' (values belong to a flag; --help lists the flags)");
}

TEST(Flags, SayHowAPictureIsGivenWhereOneIsNamed) {
  EXPECT_THAT(MessageOf({"--model", "m", VERNIER_TEST_DATA}),
              HasSubstr("a picture is given with --image, a model with --model"));
}

TEST(Flags, NameTheLargestNumberToWhoGivesALargerOne) {
  EXPECT_THAT(MessageOf({"--runs", "99999999999999999999"}),
              HasSubstr("a whole number from 1 to 9223372036854775807"));
  EXPECT_THAT(MessageOf({"--runs", "-99999999999999999999"}), HasSubstr("of at least 1"));
}

TEST(Flags, CutHugeWordsInMessages) {
  EXPECT_LT(MessageOf({"--" + std::string(1 << 20, 'x')}).size(), 200u);
  EXPECT_LT(MessageOf({"--runs", std::string(1 << 20, '9')}).size(), 200u);
}

TEST(Flags, FillPositionalArgumentsAroundOthersAndAfterTheDashes) {
  std::vector<std::string> paths;
  std::string json;
  const std::vector<Flag> table = {
      {.name = "PATH",
       .metavar = "PATH",
       .section = "Input",
       .help = "What to show.",
       .target = &paths,
       .required = true},
      {.name = "--json", .metavar = "FILE", .section = "Output", .help = "JSON.", .target = &json}};
  const std::vector<std::string> args = {"a", "--json", "-", "b", "--", "--c"};
  ParseFlags(table, args, NoEnvironment);
  EXPECT_THAT(paths, ElementsAre("a", "b", "--c"));
  EXPECT_EQ(json, "-");
}

TEST(Help, ShowsDefaultUnitAndEnvironmentOfEachFlag) {
  Options options;
  const std::vector<Flag> table = Table(options);
  EXPECT_EQ(DefaultText(table[2]), "(default: 20 runs; env: VERNIER_RUNS)");
  EXPECT_EQ(DefaultText(table[0]), "(env: VERNIER_MODEL)");
}

}  // namespace
}  // namespace vernier
