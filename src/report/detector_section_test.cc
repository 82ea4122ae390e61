#include "report/detector_section.h"

#include <gmock/gmock.h>

#include <string>

namespace vernier {
namespace {

using ::testing::SizeIs;

Json Comparison(const std::string& scores) {
  return Json::Parse(R"({"tensors": [
    {"name": "backbone.bottom_up.res2", "aliases": ["res2"], "accumulated": {"mre": 0.02}},
    {"name": "backbone.bottom_up.res2.0.conv1", "aliases": [], "accumulated": {"mre": 0.9}},
    {"name": "p3", "accumulated": {"mre": 0.04}},
    {"name": "top_feat.p7", "accumulated": {"mre": 0.12}},
    {"name": "cls_logits.p3", "accumulated": null},
    {"name": "cls_logits.p4", "accumulated": {"mre": null}},
    {"name": "box_distances", "accumulated": {"mean_abs": 0.05}},
    {"name": "top_scores", "accumulated": {"mean_rel": )" +
                         scores + R"(}},
    {"name": "top_classes", "accumulated": {"mre": null}, "rows": {"top1": 0.85, "top5": 1}}]})",
                     "comparison");
}

const std::vector<std::vector<Cell>>& RowsOf(const Section& section) {
  return std::get<Table>(section.blocks[0]).rows;
}

TEST(DetectorSection, HoldsSixFiguresToThePublishedLimits) {
  const auto section = DetectorSection(Comparison("0.02"));
  ASSERT_TRUE(section.has_value());
  const auto& rows = RowsOf(*section);
  ASSERT_THAT(rows, SizeIs(6));
  EXPECT_EQ(rows[0][1].text, "6.0000 %");  // of three layers: blocks inside are none
  EXPECT_EQ(rows[0][3].text, "held");
  EXPECT_EQ(rows[1][1].text, "12.0000 % (top_feat.p7)");
  EXPECT_EQ(rows[1][3].text, "missed");
  EXPECT_EQ(rows[2][1].text, "0.050000");
  EXPECT_EQ(rows[3][3].text, "missed");
  EXPECT_EQ(rows[4][1].text, "85.0000 %");
  EXPECT_EQ(rows[5][1].text, "100.0000 %");
  EXPECT_EQ(rows[5][3].text, "");  // without a limit
  EXPECT_EQ(RowsOf(*DetectorSection(Comparison("0.002")))[3][3].text, "held");
}

TEST(DetectorSection, IsNotThereWithoutDetections) {
  const Json json = Json::Parse(R"({"tensors": [{"name": "p3", "accumulated": {"mre": 1}}]})", "c");
  EXPECT_FALSE(DetectorSection(json).has_value());
}

}  // namespace
}  // namespace vernier
