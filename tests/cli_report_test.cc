// vernier report as a user meets it, and as a browser shows what it wrote.

#include <filesystem>
#include <fstream>

#include "io/image.h"
#include "io/json.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The least that a comparison's JSON holds (docs/reference/compare-json.md).
std::string Comparison(const std::string& outcome, const std::string& reason) {
  return R"({"kind": "comparison", "command": ["compare", "a b", "c"],
    "verdict": {"outcome": ")" +
         outcome + R"(", "scope": "numerics", "reasons": [")" + reason + R"("],
      "would_pass": "", "not_tested": ["other devices than cpu"],
      "culprits": {"sentences": ["layer.1.output.dense adds most error of its own."]}},
    "gates": [{"gate": "mre<=1%", "metric": "mre", "outcome": ")" +
         outcome + R"(", "value": 0.013, "tensor": "logits", "over": 1, "tensors": 2,
      "interval": null, "note": ""}],
    "reference": {"source": "device=ref", "device": "ref", "dtype": "f32", "kernels": []},
    "candidate": {"source": "device=cpu", "device": "cpu", "dtype": "bf16", "kernels": ["gemm"]},
    "notes": [], "only_reference": [], "only_candidate": [],
    "tensors": [
      {"name": "pixel_values", "op": "input", "preprocessing": true,
       "candidate": {"tap": "exact"}, "accumulated": {"rel_euclidean": 0, "cosine": 1}},
      {"name": "layer.0.output.dense", "op": "Linear", "preprocessing": false,
       "candidate": {"tap": "exact"}, "accumulated": {"rel_euclidean": 1e-4, "cosine": 0.99999},
       "own": {"kind": "isolated", "metrics": {"rel_euclidean": 1e-6}}},
      {"name": "layer.1.output.dense", "op": "Linear", "preprocessing": false,
       "candidate": {"tap": "recomputed"}, "accumulated": {"rel_euclidean": 2e-2, "cosine": 0.999},
       "own": {"kind": "regional", "metrics": {"rel_euclidean": 1e-2}}}]})";
}

std::string Bench() {
  return R"({"model": "models/tiny", "machine": {"cpu_model": "a <b>cpu</b>"}, "runs": [
    {"dtype": "f32", "threads": 2, "batch": 1, "median_ms": 2.5, "median_low_ms": 2.4,
     "median_high_ms": 2.6, "p50_ms": 2.5, "p90_ms": 2.9, "p99_ms": 90, "max_ms": 99,
     "throughput_per_s": 400, "first_run_ms": 9, "peak_rss_bytes": 31000000,
     "samples_ms": [2.4, 2.5, 2.5, 2.6, 2.9, 99],
     "certified": [{"percent": 90, "confidence": 0.99, "at_most_ms": 3.25}]},
    {"dtype": "bf16", "threads": 2, "batch": 4, "median_ms": 5, "throughput_per_s": 800},
    {"dtype": "f16", "threads": 2, "batch": 4, "error": "not on this machine"}]})";
}

// The least of docs/reference/eval-json.md.
std::string Evaluation() {
  return R"({"kind": "evaluation", "model": "m", "data": "charts", "task": "answer",
    "counts": {"samples": 10, "done": 8, "failed": 1, "failed_count_as": "wrong"},
    "complete": false,
    "metrics": [{"name": "relaxed_accuracy", "value": 0.75, "low": 0.4, "high": 0.95, "n": 8},
                {"name": "rouge_l", "value": 0.8, "low": 0.5, "high": 0.9, "n": 8}],
    "gates": [{"gate": "rouge_l>=1.0", "outcome": "inconclusive", "value": 0.8, "low": null,
               "high": null, "note": "too few samples"}],
    "verdict": {"kind": "inconclusive", "reasons": ["8 samples do not decide"]},
    "baseline": {"path": "old.jsonl", "paired": 8, "unpaired": 0, "agreement": [], "deltas": [],
      "changed_count": 1,
      "changed": [{"id": "a.png", "expected": ["42"], "before": "it is 42", "now": "it is 43"}]},
    "mistakes_count": 0, "mistakes": []})";
}

class Report : public testing::Test {
 protected:
  SpawnResult Make(std::vector<std::string> results) {
    std::vector<std::string> words = {"report"};
    words.insert(words.end(), results.begin(), results.end());
    words.insert(words.end(), {"--out", folder_.path("out")});
    return Vernier(words);
  }
  std::string Written(const char* name) const { return ReadText(folder_.path("out/") + name); }

  ScratchFolder folder_;
};

TEST_F(Report, SaysTheVerdictFirstAndEndsWithItsExitCode) {
  const SpawnResult result =
      Make({folder_.Write("compare.json", Comparison("failed", "logits miss the gate")),
            folder_.Write("bench.json", Bench())});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.LastErrorLine(), AllOf(StartsWith("FAILED | "), HasSubstr("logits miss")));
  EXPECT_THAT(Written("report.html"), HasSubstr("class=\"word\">FAILED"));
  EXPECT_THAT(Written("report.md"), HasSubstr("**FAILED**"));
  EXPECT_EQ(Json::Parse(Written("report.json"), "report").GetString("verdict"), "FAILED");
}

TEST_F(Report, IsInconclusiveWhenAResultIs) {
  const SpawnResult result =
      Make({folder_.Write("a.json", Comparison("passed", "")),
            folder_.Write("b.json", Comparison("inconclusive", "the inputs are random"))});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(Written("report.md"), HasSubstr("b.json: the inputs are random"));
}

TEST_F(Report, OfFiguresAloneClaimsNothing) {
  const SpawnResult result = Make({folder_.Write("bench.json", Bench())});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(Written("report.md"),
              AllOf(HasSubstr("**MEASURED**"), HasSubstr("No result in this report makes a claim"),
                    HasSubstr("P90 ≤ 3.25 ms at 99 % confidence")));
}

TEST_F(Report, ShowsBothKindsOfErrorAndWhatWasNotTested) {
  Make({folder_.Write("compare.json", Comparison("passed", ""))});
  const std::string text = Written("report.md");
  EXPECT_THAT(text, HasSubstr("0.01 (regional)"));
  EXPECT_THAT(text, HasSubstr("other devices than cpu"));
  EXPECT_THAT(text, HasSubstr("vernier compare 'a b' c"));
  EXPECT_THAT(text, HasSubstr("layer.1.output.dense adds most error of its own."));
}

TEST_F(Report, ShowsWhichAnswersChangedAndHowSureTheMetricsAre) {
  const SpawnResult result = Make({folder_.Write("eval.json", Evaluation())});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(Written("report.html"),
              AllOf(HasSubstr("it is <del>42</del>"), HasSubstr("it is <ins>43</ins>")));
  EXPECT_THAT(Written("report.md"),
              AllOf(HasSubstr("| relaxed\\_accuracy | 0.75 | 0.4 – 0.95 | 8 |"),
                    HasSubstr("2 of the 10 samples of charts")));
}

TEST_F(Report, ShowsALadderAndWhatFindingObjectsTakes) {
  const std::string bench = R"({"model": "lite_gn", "machine": {"cpu_model": "c"}, "runs": [
    {"side": "base", "dtype": "f32", "batch": 2, "median_ms": 20, "throughput_per_s": 100,
     "detection": {"objects_per_picture": 100, "median_ms": 0.5, "share": 0.024}},
    {"side": "half", "dtype": "bf16", "batch": 2, "median_ms": 10, "throughput_per_s": 200}],
    "ladders": [{"batch": 2, "rungs": [
      {"name": "base", "setting": "", "run": 0, "over": 0, "published_gain": 1},
      {"name": "half", "setting": "dtype=bf16", "run": 1, "over": 0, "gain": 2, "gain_low": 1.9,
       "gain_high": 2.1, "verdict": "faster", "over_gain": 2, "over_gain_low": 1.9,
       "over_gain_high": 2.1, "over_verdict": "faster", "published_gain": 1.32}]}]})";
  EXPECT_EQ(Make({folder_.Write("bench.json", bench)}).exit_code, 0);
  EXPECT_THAT(Written("report.md"),
              AllOf(HasSubstr("| half | 5.00 | 200 | 2.00× (1.90 – 2.10) | base |"),
                    HasSubstr("1.32×"), HasSubstr("| 100 | 0.50 | 2.40 % |")));
}

TEST_F(Report, ShowsPicturesWithTheirAnswers) {
  const std::string picture =
      std::string(VERNIER_SOURCE_DIR) + "/models/digits-vit/test/3/0089.png";
  const std::string run = folder_.path("run.json");
  Vernier({"run", "--model", DigitsModel(), "--image", picture, "--json", run});
  EXPECT_EQ(Make({run}).exit_code, 0);
  EXPECT_THAT(Written("report.html"), HasSubstr("src=\"data:image/png;base64,"));
}

TEST_F(Report, KeepsTheResultsWithTheirHashes) {
  const std::string bench = folder_.Write("bench.json", Bench());
  Make({bench});
  const Json json = Json::Parse(Written("report.json"), "report");
  const Json& entry = json.GetArray("results").items()[0];
  EXPECT_EQ(entry.GetString("kind"), "bench");
  EXPECT_EQ(entry.GetString("sha256").size(), 64u);
  EXPECT_EQ(entry.GetObject("result").GetArray("runs").size(), 3u);
}

TEST_F(Report, LeavesMarkupInResultsHarmless) {
  Make({folder_.Write("bench.json", Bench())});
  EXPECT_THAT(Written("report.html"), Not(HasSubstr("<b>cpu")));
}

TEST_F(Report, NamesTheFileThatIsNoResult) {
  const auto errors = [&](const std::string& content) {
    const SpawnResult result = Make({folder_.Write("broken.json", content)});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_FALSE(std::filesystem::exists(folder_.path("out/report.html")));
    return result.errors;
  };
  EXPECT_THAT(errors("{\"kind\": \"comparison\"}"),
              AllOf(HasSubstr("broken.json"), HasSubstr("verdict")));
  EXPECT_THAT(errors("{}"),
              HasSubstr("broken.json: holds no result of compare, eval, bench or run"));
  EXPECT_THAT(errors("{\"runs\": [{\"median_ms\": \"fast\"}]}"), HasSubstr("median_ms"));
  EXPECT_THAT(errors("[1, 2"), HasSubstr("broken.json"));
}

TEST_F(Report, GivesItsOwnCommandWholeHoweverManyResultsItJoins) {
  std::vector<std::string> results;
  for (int i = 0; i < 30; ++i) {
    results.push_back(folder_.Write("bench_" + std::to_string(i) + ".json", Bench()));
  }
  Make(results);
  EXPECT_THAT(Written("report.md"), HasSubstr(results.back() + " --out " + folder_.path("out")));
}

TEST_F(Report, NamesTheFolderThatCannotBeMade) {
  const SpawnResult result = Vernier({"report", folder_.Write("bench.json", Bench()), "--out",
                                      folder_.Write("file", "") + "/out"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("the folder cannot be made"));
}

TEST_F(Report, IsTheSameTwiceForTheSameDate) {
  const std::string bench = folder_.Write("bench.json", Bench());
  const SpawnOptions dated{.environment = {"SOURCE_DATE_EPOCH=1700000000"}};
  Vernier({"report", bench, "--out", folder_.path("out")}, dated);
  const std::string first = Written("report.html");
  Vernier({"report", bench, "--out", folder_.path("out")}, dated);
  EXPECT_EQ(Written("report.html"), first);
  EXPECT_THAT(first, HasSubstr("2023-11-14 22:13 UTC"));
}

// The page in Debian's Chromium.
class ReportInABrowser : public Report {
 protected:
  void SetUp() override {
    if (Spawn({"/bin/sh", "-c", "command -v chromium"}).exit_code != 0) {
      GTEST_SKIP() << "chromium is not installed; scripts/setup --dev gets it";
    }
    Make({folder_.Write("compare.json", Comparison("failed", "logits miss the gate")),
          folder_.Write("bench.json", Bench())});
  }

  SpawnResult Browse(std::vector<std::string> flags, const std::string& page) {
    flags.insert(flags.begin(),
                 {"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                  "--user-data-dir=" + folder_.path("profile")});
    flags.push_back("file://" + page);
    std::vector<std::string> words = {"/bin/sh", "-c", "exec \"$@\"", "sh"};
    words.insert(words.end(), flags.begin(), flags.end());
    return Spawn(words);
  }

  // As blink numbers its colour schemes.
  Image Screenshot(int scheme) {
    const std::string picture = folder_.path("picture.png");
    const SpawnResult result =
        Browse({"--window-size=1000,800",
                "--blink-settings=preferredColorScheme=" + std::to_string(scheme),
                "--screenshot=" + picture},
               folder_.path("out/report.html"));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return DecodeImage(picture);
  }

  // What a script finds in the page on a window of this width; the page's own policy allows none.
  std::string Measured(int width, const std::string& expression) {
    std::string page = Written("report.html");
    const size_t policy = page.find("<meta http-equiv");
    page.erase(policy, page.find('>', policy) + 1 - policy);
    const size_t end = page.find("</body>");
    page.insert(end, "<script>document.title = 'found ' + (" + expression + ");</script>");
    const SpawnResult result =
        Browse({"--window-size=" + std::to_string(width) + ",900", "--dump-dom"},
               folder_.Write("measured.html", page));
    const size_t found = result.output.find("<title>found ");
    return result.output.substr(found + 13, result.output.find("</title>", found) - found - 13);
  }
};

TEST_F(ReportInABrowser, IsDarkForReadersWhoWantThat) {
  const Image light = Screenshot(1), dark = Screenshot(0);
  EXPECT_GT(light.pixels.data()[0], 240);
  EXPECT_LT(dark.pixels.data()[0], 40);
}

TEST_F(ReportInABrowser, FitsAPhoneAndAScreen) {
  for (int width : {500, 1200}) {  // headless Chromium has no window below 500
    EXPECT_EQ(Measured(width, "document.documentElement.scrollWidth <= window.innerWidth"), "true")
        << width;
  }
  EXPECT_EQ(Measured(500,
                     "(document.body.style.width = '360px', "
                     "document.querySelector('main').scrollWidth <= 360)"),
            "true");
}

TEST_F(ReportInABrowser, DrawsItsPlots) {
  EXPECT_EQ(Measured(1000,
                     "[...document.querySelectorAll('svg')].every("
                     "svg => svg.getBoundingClientRect().height > 100)"),
            "true");
  EXPECT_EQ(Measured(1000, "document.querySelectorAll('svg circle').length >= 4"), "true");
}

}  // namespace
}  // namespace vernier
