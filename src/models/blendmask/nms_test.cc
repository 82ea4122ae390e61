#include "models/blendmask/nms.h"

#include "io/npy.h"

namespace vernier {
namespace {

const std::string kOps = VERNIER_TEST_DATA "/goldens/blendmask/ops/";

struct BoxSet {
  explicit BoxSet(const std::string& name) {
    const Tensor sides = ReadNpy(kOps + name + "_boxes.npy");
    boxes.resize(static_cast<size_t>(sides.shape()[0]));
    for (size_t i = 0; i < boxes.size(); ++i) {
      std::copy_n(sides.as<float>().data() + 4 * i, 4, boxes[i].begin());
    }
    const Tensor stored = ReadNpy(kOps + name + "_scores.npy");
    scores.assign(stored.as<float>().begin(), stored.as<float>().end());
    const Tensor ids = ReadNpy(kOps + name + "_classes.npy");
    for (const int64_t id : ids.as<int64_t>()) classes.push_back(static_cast<int32_t>(id));
    const Tensor kept = ReadNpy(kOps + name + "_keep.npy");
    expected.assign(kept.as<int64_t>().begin(), kept.as<int64_t>().end());
  }

  ScoredBoxes view() const { return {boxes, scores, classes}; }

  std::vector<BoxCorners> boxes;
  std::vector<float> scores;
  std::vector<int32_t> classes;
  std::vector<int64_t> expected;
};

// A box of class 1 with negative coordinates, moved by one step, lies on one of class 0.
TEST(SuppressOverlaps, LetsShiftedClassesMeetAsThePublishedModelDoes) {
  const BoxSet set("nms");
  EXPECT_EQ(SuppressOverlaps(set.view(), 0.6), set.expected);
}

TEST(SuppressOverlaps, GoesClassByClassBeyondAThousandBoxes) {
  const BoxSet set("nms_many");
  ASSERT_EQ(set.boxes.size(), 1050u);
  EXPECT_EQ(SuppressOverlaps(set.view(), 0.6), set.expected);
}

TEST(SuppressOverlaps, ComparesWithTheThresholdInDouble) {
  // Intersection 3, union 5: the float nearest to 0.6 lies above the double 0.6.
  const std::vector<BoxCorners> boxes = {{0, 0, 4, 1}, {1, 0, 5, 1}};
  const std::vector<float> scores = {0.9F, 0.8F};
  const std::vector<int32_t> classes = {0, 0};
  EXPECT_EQ(SuppressOverlaps({boxes, scores, classes}, 0.6).size(), 1u);
  EXPECT_EQ(SuppressOverlaps({boxes, scores, classes}, static_cast<double>(0.6F)).size(), 2u);
}

TEST(SuppressOverlaps, KeepsEmptyBoxesAndNothingOfNothing) {
  const std::vector<BoxCorners> boxes = {{5, 5, 5, 9}, {5, 5, 5, 9}};
  const std::vector<float> scores = {0.5F, 0.5F};
  const std::vector<int32_t> classes = {0, 0};
  EXPECT_EQ(SuppressOverlaps({boxes, scores, classes}, 0.6), (std::vector<int64_t>{0, 1}));
  EXPECT_TRUE(SuppressOverlaps({}, 0.6).empty());
}

TEST(SuppressOverlaps, EndsWithWhatScoresAsTheLastOfThoseThatAreWanted) {
  std::vector<BoxCorners> boxes;
  for (int i = 0; i < 6; ++i) boxes.push_back({i * 10.0F, 0, i * 10.0F + 5, 5});
  const std::vector<float> scores = {0.1F, 0.7F, 0.9F, 0.7F, 0.7F, 0.2F};
  const std::vector<int32_t> classes(6, 0);
  const auto kept = [&](int64_t most) {
    return SuppressOverlaps({boxes, scores, classes}, 0.6, most);
  };
  EXPECT_EQ(kept(1), (std::vector<int64_t>{2}));
  EXPECT_EQ(kept(2), (std::vector<int64_t>{2, 1, 3, 4}));
  EXPECT_EQ(kept(5), (std::vector<int64_t>{2, 1, 3, 4, 5}));
  EXPECT_EQ(kept(0).size(), 6u);
}

}  // namespace
}  // namespace vernier
