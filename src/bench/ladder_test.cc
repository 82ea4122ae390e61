#include "bench/ladder.h"

#include "io/json.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

Measurement Constant(double ms) {
  Measurement measured;
  measured.timing.samples_ms.assign(20, ms);
  return measured;
}

TEST(Ladder, HoldsEachRungToTheFirstAndToTheOneThatItChanges) {
  const std::vector<Rung> rungs = {
      {.name = "base"}, {.name = "half", .setting = "dtype=bf16"}, {.name = "more", .over = 1}};
  const std::vector<Measurement> runs = {Constant(12), Constant(6), Constant(8)};
  const Ladder ladder = JudgeLadder(rungs, runs, 3);
  ASSERT_THAT(ladder.rungs, SizeIs(3));
  EXPECT_FALSE(ladder.rungs[0].first.has_value());
  EXPECT_DOUBLE_EQ(GainOf(*ladder.rungs[1].first), 2);
  EXPECT_EQ(ladder.rungs[2].run, 5u);
  EXPECT_DOUBLE_EQ(GainOf(*ladder.rungs[2].first), 1.5);
  EXPECT_DOUBLE_EQ(GainOf(*ladder.rungs[2].over), 0.75);
  EXPECT_EQ(ladder.rungs[2].over->verdict, SpeedVerdict::kSlower);
  EXPECT_LE(GainIntervalOf(*ladder.rungs[2].first).low, 1.5);
}

TEST(Ladder, LeavesOutWhatHasNothingToBeHeldTo) {
  std::vector<Measurement> runs = {Constant(12), Constant(6), Constant(8)};
  runs[1].error = Error(ErrorKind::kDevice, "gone");
  const Ladder ladder = JudgeLadder(
      std::vector<Rung>{{.name = "base"}, {.name = "b"}, {.name = "c", .over = 1}}, runs, 0);
  EXPECT_FALSE(ladder.rungs[1].first.has_value());
  EXPECT_TRUE(ladder.rungs[2].first.has_value());
  EXPECT_FALSE(ladder.rungs[2].over.has_value());
}

TEST(Ladder, WritesGainsAsTimesAsFast) {
  const std::vector<Measurement> runs = {Constant(12), Constant(6)};
  JsonWriter writer;
  WriteJson(JudgeLadder(std::vector<Rung>{{.name = "base", .published_gain = 1}, {.name = "half"}},
                        runs, 0),
            writer);
  const Json json = Json::Parse(writer.Take(), "ladder");
  const auto rungs = json.GetArray("rungs").items();
  EXPECT_FALSE(rungs[0].Has("gain"));
  EXPECT_EQ(rungs[0].GetNumber("published_gain"), 1);
  EXPECT_EQ(rungs[1].GetNumber("gain"), 2);
  EXPECT_EQ(rungs[1].GetString("over_verdict"), "faster");
  EXPECT_FALSE(rungs[1].Has("published_gain"));
}

TEST(Ladder, KnowsThePublishedOne) {
  const std::vector<Rung> rungs = PublishedLadder("lite_bn");
  ASSERT_THAT(rungs, SizeIs(6));
  EXPECT_THAT(rungs[0].setting, HasSubstr("disable-pass=fold_batch_norm"));
  EXPECT_EQ(rungs[1].setting, "model=lite_bn,dtype=f32");
  EXPECT_EQ(rungs[5].setting, "model=lite_bn,dtype=bf16,branches=parallel");
  for (size_t i = 0; i < rungs.size(); ++i) EXPECT_LE(rungs[i].over, i);
}

TEST(Ladder, ReadsARungAsNameAndSetting) {
  const Rung rung = ParseRung("two threads:threads=2,dtype=bf16", 1);
  EXPECT_EQ(rung.name, "two threads");
  EXPECT_EQ(rung.setting, "threads=2,dtype=bf16");
  EXPECT_EQ(rung.over, 1u);
  EXPECT_EQ(MessageOf([] { ParseRung("dtype=bf16", 0); }),
            "--rung: expected NAME:SETTING, found 'dtype=bf16'");
}

}  // namespace
}  // namespace vernier
