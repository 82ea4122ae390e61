#include "eval/run_samples.h"

#include "core/interrupt.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<Sample> Samples(int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) {
    samples.push_back({.id = std::to_string(i), .expected = {std::to_string(i % 3)}});
  }
  return samples;
}

// Answers each sample with its own id; after `stop_after` samples somebody presses Ctrl-C.
struct Echo {
  std::vector<std::string> asked = {};
  size_t stop_after = 1000;

  AnswerSamples Open() {
    return [this](std::span<const Sample> samples) {
      std::vector<Record> records(samples.size());
      for (size_t i = 0; i < samples.size(); ++i) {
        asked.push_back(samples[i].id);
        records[i].answer = samples[i].id;
      }
      if (asked.size() >= stop_after) InterruptFlag() = true;
      return records;
    };
  }
};

class RunSamplesTest : public testing::Test {
 protected:
  ~RunSamplesTest() override { InterruptFlag() = false; }

  SampleRunResult Run(Echo& echo, ResultsFile* file) {
    InterruptFlag() = false;
    return RunSamples({.task = EvalTask::kAnswer,
                       .samples = samples_,
                       .fingerprints = fingerprints_,
                       .batch = 2,
                       .file = file,
                       .open_model = [&] { return echo.Open(); }});
  }

  const std::vector<Sample> samples_ = Samples(5);
  const std::vector<std::string> fingerprints_ = {"a", "b", "c", "d", "e"};
  const ScratchFolder folder_;
};

TEST_F(RunSamplesTest, GoesOnWhereItWasInterrupted) {
  const std::string path = folder_.path("out.jsonl");
  Echo first{.stop_after = 3};
  {
    ResultsFile file(path, {.task = "answer"});
    const SampleRunResult result = Run(first, &file);
    EXPECT_FALSE(result.complete);
    EXPECT_THAT(result.records, SizeIs(4));
  }
  Echo second;
  ResultsFile file(path, {.task = "answer"});
  const SampleRunResult result = Run(second, &file);
  EXPECT_THAT(second.asked, ElementsAre("4"));
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.resumed, 4);
  ASSERT_THAT(result.records, SizeIs(5));
  EXPECT_EQ(result.records[3].fingerprint, "d");
  EXPECT_EQ(result.records[4].answer, "4");
}

TEST_F(RunSamplesTest, OpensNoModelWhereNothingIsLeft) {
  const std::string path = folder_.path("out.jsonl");
  Echo echo;
  {
    ResultsFile file(path, {.task = "answer"});
    Run(echo, &file);
  }
  ResultsFile file(path, {.task = "answer"});
  const SampleRunResult result = RunSamples(
      {.task = EvalTask::kAnswer,
       .samples = samples_,
       .fingerprints = fingerprints_,
       .file = &file,
       .open_model = []() -> AnswerSamples { throw Error(ErrorKind::kDevice, "opened"); }});
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.resumed, 5);
}

TEST_F(RunSamplesTest, BelievesTheSetAboutWhatIsRight) {
  const std::string path = folder_.path("out.jsonl");
  Echo echo;
  {
    ResultsFile file(path, {.task = "answer"});
    std::vector<Record> edited = {{.id = "0", .fingerprint = "a", .expected = {}, .answer = "0"}};
    file.Append(edited);
  }
  ResultsFile file(path, {.task = "answer"});
  EXPECT_THAT(Run(echo, &file).records[0].expected, ElementsAre("0"));
}

}  // namespace
}  // namespace vernier
