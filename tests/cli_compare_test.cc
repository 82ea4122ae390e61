// vernier compare, from its flags to its verdict.

#include <algorithm>
#include <filesystem>

#include "io/json.h"
#include "support/command.h"
#include "support/dump_folder.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kModel = Golden("vit/cls_batch2");

/// A dump of the golden's two pictures.
std::string DumpOf(const ScratchFolder& scratch, const std::string& name,
                   std::vector<std::string> flags = {}) {
  flags.insert(flags.begin(), {"run", "--model", kModel, "--image", kModel + "/input_0.png",
                               "--image", kModel + "/input_1.png", "--dump", scratch.path(name)});
  EXPECT_EQ(Vernier(flags).exit_code, 0);
  return scratch.path(name);
}

/// Two dumps of one small run; the second differs by `error` in its layer.
class TwoDumps {
 public:
  explicit TwoDumps(float error) {
    for (const char* side : {"r", "c"}) {
      DumpFolder dump(scratch_.path(side));
      const float off = *side == 'c' ? error : 0;
      dump.facts()["device"] = *side == 'c' ? "cuda" : "cpu";
      dump.Add("pixel_values", {0.5f, -1}, {1, 2});
      dump.Add("layer.0", {1, 2 + off}, {1, 2});
      dump.Add("logits", {3, 4 + off}, {1, 2});
      dump.Finish();
    }
  }

  SpawnResult Compare(std::vector<std::string> flags = {}, const SpawnOptions& options = {}) const {
    flags.insert(flags.begin(), {"compare", reference(), candidate()});
    return Vernier(flags, options);
  }
  std::string reference() const { return scratch_.path("r"); }
  std::string candidate() const { return scratch_.path("c"); }
  std::string path(const std::string& name) const { return scratch_.path(name); }

 private:
  ScratchFolder scratch_;
};

// Values of size 100 and, among them, one that cancellation left over.
std::vector<float> Hundreds(float left_over) {
  std::vector<float> values(1000, 100);
  values[7] = left_over;
  return values;
}

TEST(Compare, HoldsWhatCancellationLeftToTheSizeOfItsTensor) {
  const ScratchFolder scratch;
  const auto compare = [&](float left_over, std::vector<std::string> flags = {}) {
    DumpFolder(scratch.path("r")).AddFile("sum", Hundreds(0), {10, 100});
    DumpFolder(scratch.path("c")).AddFile("sum", Hundreds(left_over), {10, 100});
    flags.insert(flags.begin(), {"compare", scratch.path("r"), scratch.path("c")});
    return Vernier(flags);
  };
  EXPECT_EQ(compare(1e-4f).exit_code, 0);
  EXPECT_EQ(compare(1e-4f, {"--tol", "1e-2"}).exit_code, 0);
  const SpawnResult fault = compare(0.1f);
  EXPECT_EQ(fault.exit_code, 1);
  EXPECT_THAT(fault.LastErrorLine(), HasSubstr("would pass with --tol 0.001,0.1001"));
  // An absolute tolerance that somebody gives is taken as it is.
  EXPECT_EQ(compare(1e-4f, {"--tol", "1e-3,1e-5"}).exit_code, 1);
  EXPECT_EQ(compare(0.1f, {"--tol", "0.001,0.1001"}).exit_code, 0);
}

TEST(Compare, HoldsATensorOfARunOnTheSpotToItsOwnTolerance) {
  const ScratchFolder scratch;
  const SpawnResult result =
      Vernier({"compare", "device=ref", "device=cpu,dtype=bf16", "--model", kModel, "--image",
               kModel + "/input_0.png", "--tol", "0,1000", "--tol", "classifier=0,1e-9", "--json",
               scratch.path("c.json")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("within>=100%: classifier has"));
  EXPECT_THAT(result.LastErrorLine(), Not(HasSubstr("miss it")));
  const Json json = Json::ParseFile(scratch.path("c.json"));
  for (const Json& tensor : json.GetArray("tensors").items()) {
    if (tensor.Get("accumulated").is_null()) continue;
    EXPECT_EQ(tensor.Get("tolerance").GetNumber("atol"),
              tensor.GetString("name") == "classifier" ? 1e-9 : 1000);
  }
}

TEST(Compare, FindsTransformersValuesInOurDump) {
  const ScratchFolder scratch;
  const SpawnResult result =
      Vernier({"compare", kModel, DumpOf(scratch, "ours"), "--gate", "mre<=0.1%", "--gate",
               "logits:cosine>=0.999999", "--json", scratch.path("c.json")});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.LastErrorLine(), StartsWith("PASSED | "));
  EXPECT_THAT(result.output, HasSubstr("encoder.layer.2"));
  const Json json = Json::ParseFile(scratch.path("c.json"));
  EXPECT_EQ(json.Get("verdict").GetString("outcome"), "passed");
  const Json& first = json.GetArray("tensors").items()[0];
  EXPECT_EQ(first.GetString("name"), "pixel_values");  // layer 0
  EXPECT_TRUE(first.GetBool("preprocessing"));
}

TEST(Compare, SaysThatTheSameKernelsOnBothSidesShowNothing) {
  const ScratchFolder scratch;
  const std::string dump = DumpOf(scratch, "a");
  const SpawnResult result = Vernier({"compare", dump, dump});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.LastErrorLine(), StartsWith("INCONCLUSIVE | "));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("the same kernels on the same device (cpu, f32)"));
  EXPECT_EQ(Vernier({"compare", dump, dump, "--same-kernels"}).exit_code, 0);
}

TEST(Compare, FailsWithTheToleranceAtWhichItWouldPass) {
  const TwoDumps dumps(0.1f);
  const SpawnResult result = dumps.Compare();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("would pass with --tol 0.001,0.09805"));
  EXPECT_THAT(result.output, HasSubstr("the first over its gate is 'layer.0'"));
  EXPECT_EQ(dumps.Compare({"--tol", "0.001,0.09805"}).exit_code, 0);
  EXPECT_EQ(dumps.Compare({"--tol", "layer.*=0.1", "--tol", "logits=0.1"}).exit_code, 0);
}

TEST(Compare, TakesItsSidesByNameToo) {
  const TwoDumps dumps(0);
  EXPECT_EQ(Vernier({"compare", "--candidate", dumps.candidate(), dumps.reference()}).exit_code, 0);
  EXPECT_EQ(Vernier({"compare", "--candidate", dumps.candidate(), "--reference", dumps.reference()})
                .exit_code,
            0);
  EXPECT_THAT(Vernier({"compare", dumps.reference()}).errors, HasSubstr("CANDIDATE is missing"));
  EXPECT_THAT(Vernier({"compare"}).errors, HasSubstr("REFERENCE is missing"));
  EXPECT_THAT(dumps.Compare({"--reference", "x"}).errors, HasSubstr("is a third side"));
}

TEST(Compare, LimitsAndFiltersItsTable) {
  const TwoDumps dumps(0.1f);
  const std::string one = dumps.Compare({"--top", "1"}).output;
  EXPECT_THAT(one, HasSubstr("layer.0"));
  EXPECT_THAT(one, HasSubstr("… and 2 more (--top 0 shows all)"));
  EXPECT_THAT(dumps.Compare({"--filter", "logits"}).output, Not(HasSubstr("pixel_values  ")));
}

TEST(Compare, WritesMsaccucmpsColumns) {
  const TwoDumps dumps(0.1f);
  const std::string csv = dumps.Compare({"--columns", "msaccucmp"}).output;
  EXPECT_THAT(csv, StartsWith("Index,OpType,NPUDump,"));
  EXPECT_THAT(csv, HasSubstr("\n1,,layer.0,f32,NaN,layer.0,"));
}

TEST(Compare, AppliesAPublishedProtocol) {
  const TwoDumps dumps(0.001f);
  const SpawnResult result = dumps.Compare({"--preset", "paddleocr_vl"});
  EXPECT_EQ(result.exit_code, 3);  // one row is too few for 99 %
  EXPECT_THAT(result.output, HasSubstr("PASS  logits:mre<1%"));
  EXPECT_THAT(result.errors, HasSubstr("too few samples (1)"));
}

TEST(Compare, ListsWhatIsOnOneSideOnly) {
  const TwoDumps dumps(0);
  DumpFolder more(dumps.candidate());
  more.Add("logits", {3, 4}, {1, 2});
  more.Add("attention", {1}, {1});
  more.Finish();
  const SpawnResult result = dumps.Compare();
  EXPECT_THAT(result.output, HasSubstr("on the reference only: 2\n  pixel_values [1, 2]: "));
  EXPECT_THAT(result.output, HasSubstr("on the candidate only: 1\n  attention [1]: "));
}

TEST(Compare, FindsTheReferenceProcessorsPixelsOfAwkwardPictures) {
  const std::string folder = std::string(VERNIER_TEST_DATA) + "/awkward";
  std::vector<std::string> pictures;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string ending = entry.path().extension();
    if (ending == ".png" || ending == ".jpg") pictures.push_back(entry.path());
  }
  ASSERT_THAT(pictures, testing::SizeIs(14));
  std::ranges::sort(pictures);
  const ScratchFolder scratch;
  std::vector<std::string> words = {"run",           "--model",       DigitsModel(),
                                    "--exif",        "--dump",        scratch.path("ours"),
                                    "--convert-rgb", "--dump-filter", "pixel_values"};
  for (const std::string& picture : pictures) words.insert(words.end(), {"--image", picture});
  ASSERT_EQ(Vernier(words).exit_code, 0);
  const SpawnResult same =
      Vernier({"compare", folder + "/expected", scratch.path("ours"), "--gate", "max_abs<=0"});
  EXPECT_EQ(same.exit_code, 0) << same.output;

  // Not turned upright, the comparison blames the preprocessing.
  std::erase(words, "--exif");
  ASSERT_EQ(Vernier(words).exit_code, 0);
  const SpawnResult turned = Vernier({"compare", folder + "/expected", scratch.path("ours")});
  EXPECT_EQ(turned.exit_code, 1);
  EXPECT_THAT(turned.output, HasSubstr("preprocessing differs before any layer runs"));
}

struct BadUse {
  std::vector<std::string> flags;
  const char* message;
};

TEST(Compare, RefusesBadUseInWords) {
  const TwoDumps dumps(0);
  const BadUse uses[] = {
      {{"--gate", "mre"}, "--gate 'mre': it has no <, > or ="},
      {{"--gate", "logitz:mre<=1"}, "no tensor of either side has such a name"},
      {{"--preset", "resnet"}, "--preset"},
      {{"--tol", "x"}, "--tol 'x': expected [NAMES=]RTOL[,ATOL]"},
      {{"--tol", "=1"}, "--tol '=1': expected"},
      {{"--map", "a"}, "--map: expected REFERENCE=CANDIDATE, found 'a'"},
      {{"--filter", "none"}, "--filter: no tensor that both sides have has such a name"},
  };
  for (const BadUse& use : uses) {
    const SpawnResult result = dumps.Compare(use.flags);
    EXPECT_EQ(result.exit_code, 2) << use.message;
    EXPECT_THAT(result.errors, HasSubstr(use.message));
  }
}

TEST(Compare, SaysThatTheDiskIsFullAndKeepsTheOldFile) {
  const TwoDumps dumps(0);
  const SpawnResult full = dumps.Compare({"--json", "/dev/full"});
  EXPECT_EQ(full.exit_code, 4);
  EXPECT_THAT(full.errors, HasSubstr("/dev/full"));
  const SpawnResult table = dumps.Compare({}, {.standard_output = "/dev/full"});
  EXPECT_EQ(table.exit_code, 4) << table.errors;
}

TEST(Compare, LeavesNoFileWhereItsFolderIsMissing) {
  const TwoDumps dumps(0);
  const SpawnResult result = dumps.Compare({"--json", dumps.path("none/c.json")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(dumps.path("none")));
}

TEST(Compare, RecordsTheCommandThatRepeatsIt) {
  const TwoDumps dumps(0);
  dumps.Compare({"--gate", "mre<=1%", "--same-kernels", "--json", dumps.path("c.json")});
  EXPECT_THAT(Json::ParseFile(dumps.path("c.json")).GetStrings("command"),
              ElementsAre("vernier", "compare", "--reference", dumps.reference(), "--candidate",
                          dumps.candidate(), "--gate", "mre<=1%", "--same-kernels", "--json",
                          dumps.path("c.json")));
}

TEST(Compare, OfThePixelsBlamesThePreprocessing) {
  const ScratchFolder scratch;
  const std::string ours = DumpOf(scratch, "ours");
  const std::string other = DumpOf(scratch, "other", {"--resize", "pillow"});
  const SpawnResult result = Vernier({"compare", ours, other, "--same-kernels"});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("preprocessing differs before any layer runs: 'pixel_values'"));
}

}  // namespace
}  // namespace vernier
