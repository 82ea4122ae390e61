#include "models/blendmask/detections.h"

#include <cmath>
#include <limits>

#include "support/blendmask_golden.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

// The maps of one picture out of a batch.
class PictureMaps {
 public:
  PictureMaps(const BlendMaskGolden& golden, int64_t picture) {
    for (const std::string& level : golden.config.levels) {
      for (const char* name : {"cls_logits.", "bbox_reg.", "ctrness."}) {
        dumps_.push_back(golden.Dump(name + level));
      }
    }
    for (size_t i = 0; i < dumps_.size(); i += 3) {
      levels.push_back({.height = dumps_[i].shape()[2],
                        .width = dumps_[i].shape()[3],
                        .cls_logits = Of(dumps_[i], picture),
                        .bbox_reg = Of(dumps_[i + 1], picture),
                        .ctrness = Of(dumps_[i + 2], picture)});
    }
  }

  std::vector<HeadMaps> levels;

 private:
  static std::span<const float> Of(const Tensor& batch, int64_t picture) {
    const int64_t one = batch.shape().elements() / batch.shape()[0];
    return batch.as<float>().subspan(static_cast<size_t>(picture * one), static_cast<size_t>(one));
  }

  std::vector<Tensor> dumps_;
};

TEST(SelectDetections, FindsTheGoldensInTheirOrder) {
  for (const std::string& name : BlendMaskGoldenNames()) {
    const BlendMaskGolden golden(name);
    if (!golden.Has("dump/cls_logits.p3")) continue;
    for (int64_t i = 0; i < golden.pictures(); ++i) {
      SCOPED_TRACE(name + " " + std::to_string(i));
      const PictureMaps maps(golden, i);
      const std::vector<Detection> found = SelectDetections(maps.levels, golden.config, name);
      const std::string det = "det/" + std::to_string(i) + "_";
      const Tensor boxes = golden.Array(det + "boxes"), scores = golden.Array(det + "scores");
      const Tensor classes = golden.Array(det + "classes"), levels = golden.Array(det + "levels");
      const Tensor locations = golden.Array(det + "locations");
      ASSERT_EQ(std::ssize(found), scores.shape()[0]);
      for (size_t k = 0; k < found.size(); ++k) {
        SCOPED_TRACE(k);
        EXPECT_EQ(found[k].category, classes.as<int64_t>()[k]);
        EXPECT_EQ(found[k].level, levels.as<int64_t>()[k]);
        EXPECT_EQ(found[k].centre[0], locations.as<float>()[2 * k]);
        EXPECT_EQ(found[k].centre[1], locations.as<float>()[2 * k + 1]);
        EXPECT_NEAR(found[k].score, scores.as<float>()[k], golden.Tolerance(i, "scores"));
        for (size_t side = 0; side < 4; ++side) {
          EXPECT_NEAR(found[k].box[side], boxes.as<float>()[4 * k + side],
                      golden.Tolerance(i, "boxes"));
        }
      }
    }
  }
}

// One level of 100 x 100 locations with boxes that never meet.
struct OneLevel {
  explicit OneLevel(int64_t classes) {
    config.levels = {"p3"};
    config.strides = {8};
    config.classes = classes;
    config.threshold_with_centerness = true;
    cls.assign(static_cast<size_t>(classes * kCount), -20.0F);
    box.assign(4 * kCount, 0.4F);
    ctr.assign(kCount, 20.0F);
  }

  std::vector<Detection> Select() const {
    const HeadMaps maps = {100, 100, cls, box, ctr};
    return SelectDetections({&maps, 1}, config, "street.jpg");
  }

  static constexpr int64_t kCount = 10000;
  BlendMaskConfig config;
  std::vector<float> cls, box, ctr;
};

TEST(SelectDetections, TakesTheBestOfTenThousandCandidates) {
  OneLevel level(1);
  for (int64_t i = 0; i < OneLevel::kCount; ++i) {
    level.cls[static_cast<size_t>(i)] = 0.0001F * static_cast<float>((i * 7919) % OneLevel::kCount);
  }
  const std::vector<Detection> found = level.Select();
  ASSERT_EQ(found.size(), 100u);
  // The 7919th multiple that is the largest residue.
  EXPECT_EQ(found[0].location * 7919 % OneLevel::kCount, OneLevel::kCount - 1);
  EXPECT_EQ(found[99].location * 7919 % OneLevel::kCount, OneLevel::kCount - 100);
}

TEST(SelectDetections, KeepsTheEarlierOfEqualCandidatesAtTheCutOfALevel) {
  OneLevel level(2);
  std::ranges::fill(level.cls, 1.0F);
  level.config.post_nms_top_k = 0;
  const std::vector<Detection> found = level.Select();
  // 1000 candidates: both classes of the first 500 locations.
  ASSERT_EQ(found.size(), 1000u);
  EXPECT_EQ(found[0].location, 0);
  EXPECT_EQ(found[1].category, 1);
  EXPECT_EQ(found[999].location, 499);
}

TEST(SelectDetections, KeepsAllThatShareTheLastScore) {
  OneLevel level(1);
  std::fill_n(level.cls.begin(), 150, 1.0F);
  EXPECT_EQ(level.Select().size(), 150u);
}

TEST(SelectDetections, TestsTheThresholdStrictly) {
  OneLevel level(1);
  level.config.score_threshold = 0.5F;
  level.config.threshold_with_centerness = false;
  level.cls[0] = 0.0F;  // a probability of exactly one half
  level.cls[1] = 1e-6F;
  const std::vector<Detection> found = level.Select();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].location, 1);
}

TEST(SelectDetections, ReachesProbabilitiesThatRoundToOne) {
  OneLevel level(1);
  level.config.score_threshold = 0.99999F;
  level.cls[7] = 30.0F;
  EXPECT_EQ(level.Select().size(), 1u);
}

TEST(SelectDetections, LeavesCandidatesInPlaceWithoutSuppression) {
  OneLevel level(1);
  level.config.nms_threshold = 0;
  level.cls[3] = 0.5F;
  level.cls[9] = 2.0F;
  const std::vector<Detection> found = level.Select();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].location, 3);
}

std::string Refusal(const OneLevel& level) {
  try {
    level.Select();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.message();
  }
  return "no error";
}

TEST(SelectDetections, NamesThePictureWhoseScoresOrBoxesAreNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  OneLevel scores(2);
  scores.cls[OneLevel::kCount + 5] = nan;
  EXPECT_EQ(Refusal(scores), "street.jpg: the model gives NaN as score of class 1");
  OneLevel centres(1);
  centres.ctr[9999] = nan;
  EXPECT_EQ(Refusal(centres), "street.jpg: the model gives NaN as centre-ness");
  OneLevel boxes(1);
  boxes.cls[0] = 5.0F;
  boxes.box[2 * OneLevel::kCount] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Refusal(boxes), HasSubstr("street.jpg: the model gives a box that is not finite"));
}

}  // namespace
}  // namespace vernier
