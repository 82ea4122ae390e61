#include "bench/earlier_result.h"

#include "support/noise.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Noise;
using ::testing::SizeIs;

Measurement Measured(uint64_t seed, double floor_ms) {
  Measurement measured;
  measured.configuration = {.dtype = "f32", .threads = 2, .height = 224, .width = 224, .batch = 4};
  measured.timing.samples_ms = Noise(seed).Samples(40, floor_ms);
  measured.outputs_sha256 = "abc";
  Conclude(measured);
  return measured;
}

Machine ThisMachine() {
  Machine machine;
  machine.cpu_model = "Zen";
  machine.logical_cpus = 2;
  return machine;
}

BenchResult ResultOf(Measurement measured) {
  BenchResult result{.command = "vernier bench", .started = "2026-11-21T14:00:00Z"};
  result.machine = ThisMachine();
  result.runs.push_back(std::move(measured));
  return result;
}

EarlierResult WrittenAndRead(const BenchResult& result) {
  const ScratchFolder folder;
  return ReadEarlierResult(folder.Write("other.json", ToJson(result)));
}

TEST(EarlierResult, IsReadBackAsItWasWritten) {
  const Measurement measured = Measured(1, 10);
  const EarlierResult earlier = WrittenAndRead(ResultOf(measured));
  ASSERT_THAT(earlier.runs, SizeIs(1));
  EXPECT_EQ(earlier.runs[0].samples_ms, measured.timing.samples_ms);
  EXPECT_EQ(earlier.runs[0].configuration, measured.configuration);
  EXPECT_EQ(earlier.started, "2026-11-21T14:00:00Z");
  EXPECT_THAT(Differences(earlier.machine, ThisMachine()), IsEmpty());
  EXPECT_EQ(FindRun(earlier, measured.configuration), &earlier.runs[0]);
  Configuration other = measured.configuration;
  other.batch = 8;
  EXPECT_EQ(FindRun(earlier, other), nullptr);
}

TEST(EarlierResult, LeavesOutRunsThatFailed) {
  BenchResult result = ResultOf(Measured(1, 10));
  Measurement failed;
  failed.error = Error(ErrorKind::kInput, "no", "");
  result.runs.push_back(failed);
  EXPECT_THAT(WrittenAndRead(result).runs, SizeIs(1));
  result.runs.erase(result.runs.begin());
  EXPECT_THAT(MessageOf([&] { WrittenAndRead(result); }),
              HasSubstr("runs: there is no run to compare with"));
}

TEST(EarlierResult, NamesWhatIsWrongWithAFile) {
  const ScratchFolder folder;
  const auto message = [&](const std::string& text) {
    const std::string file = folder.Write("x.json", text);
    return MessageOf([&] { ReadEarlierResult(file); });
  };
  EXPECT_THAT(message("{\"model\": \"vit\"}"),
              HasSubstr("x.json: expected a result of vernier bench, found other JSON"));
  EXPECT_THAT(message("[1]"), HasSubstr("expected a result of vernier bench"));
  EXPECT_THAT(message("{\"machine\": {\"cpu_model\": \"a\"}, \"runs\": [1]}"),
              HasSubstr("runs: expected objects"));
  EXPECT_THAT(message("{\"machine\": {\"cpu_model\": \"a\"}, \"runs\": [{\"dtype\": \"f32\", "
                      "\"threads\": 1, \"batch\": 1, \"samples_ms\": [1, 0]}]}"),
              HasSubstr("samples_ms: expected times above zero"));
  EXPECT_THAT(message("{\"machine\": {\"cpu_model\": \"a\"}, \"runs\": [{\"dtype\": \"f32\", "
                      "\"threads\": 1, \"samples_ms\": [1]}]}"),
              HasSubstr("batch"));
  EXPECT_NE(message("{"), "no error");
  EXPECT_THAT(MessageOf([&] { ReadEarlierResult(folder.path("none.json")); }),
              HasSubstr("none.json"));
}

TEST(CompareWithEarlier, SaysThatAnotherTimeIsWeakerEvidence) {
  const EarlierResult earlier = WrittenAndRead(ResultOf(Measured(1, 10)));
  const SpeedComparison comparison =
      CompareWithEarlier(earlier, earlier.runs[0], Measured(2, 13), ThisMachine(), 0.05);
  EXPECT_EQ(comparison.evidence, Evidence::kOtherTime);
  EXPECT_EQ(comparison.ratio.verdict, SpeedVerdict::kSlower);
  EXPECT_EQ(comparison.gate->state, GateState::kFailed);
  EXPECT_EQ(comparison.same_outputs, true);
}

TEST(CompareWithEarlier, CannotDecideAGateFromAnotherMachine) {
  const EarlierResult earlier = WrittenAndRead(ResultOf(Measured(1, 10)));
  Machine other = ThisMachine();
  other.cpu_model = "Lake";
  const SpeedComparison comparison =
      CompareWithEarlier(earlier, earlier.runs[0], Measured(2, 13), other, 0.05);
  EXPECT_EQ(comparison.evidence, Evidence::kOtherMachine);
  EXPECT_EQ(comparison.gate->state, GateState::kInconclusive);
  EXPECT_THAT(comparison.gate->why,
              HasSubstr("measured on another machine (processor 'Zen', now 'Lake')"));
}

TEST(BenchResult, WritesFailedConfigurationsWithoutFigures) {
  BenchResult result = ResultOf(Measured(1, 10));
  result.runs[0].error = Error(ErrorKind::kDevice, "what", "hint");
  const std::string json = ToJson(result);
  EXPECT_THAT(json, HasSubstr("\"message\": \"what\""));
  EXPECT_THAT(json, ::testing::Not(HasSubstr("median_ms")));
}

TEST(BenchResult, WritesTheComparisonAndItsGate) {
  BenchResult result = ResultOf(Measured(1, 10));
  const Measurement b = Measured(2, 13);
  SpeedComparison comparison{.a = "x", .b = "y"};
  comparison.ratio = ComparePaired(result.runs[0].timing.samples_ms, b.timing.samples_ms);
  comparison.bound = 0.05;
  comparison.gate = JudgeSlowdown(comparison.ratio, 0.05);
  result.comparisons.push_back(comparison);
  const std::string json = ToJson(result);
  for (const char* part : {"\"verdict\": \"slower\"", "\"evidence\": \"alternating\"",
                           "\"state\": \"failed\"", "\"same_outputs\": null", "\"bound\": 0.05"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
}

}  // namespace
}  // namespace vernier
