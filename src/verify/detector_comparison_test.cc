#include "verify/detector_comparison.h"

#include <algorithm>
#include <filesystem>

#include "support/scratch_folder.h"
#include "verify/compare_sources.h"
#include "verify/gates.h"
#include "verify/judge.h"

namespace vernier {
namespace {

// The goldens' worked example as two folders of arrays.
std::string FolderOf(const ScratchFolder& scratch, const std::string& side) {
  const std::string prefix = "metrics_" + side + "_";
  const std::filesystem::path folder = scratch.path(side);
  std::filesystem::create_directories(folder);
  for (const auto& entry :
       std::filesystem::directory_iterator(VERNIER_TEST_DATA "/goldens/blendmask/ops")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::filesystem::copy(entry.path(), folder / name.substr(prefix.size()));
  }
  return folder.string();
}

const TensorComparison* Find(const Comparison& comparison, const std::string& name) {
  const auto found = std::ranges::find(comparison.tensors, name, &TensorComparison::name);
  return found == comparison.tensors.end() ? nullptr : &*found;
}

TEST(DetectorComparison, AddsTheDetectionsFiguresToDumps) {
  const ScratchFolder scratch;
  const std::string test = FolderOf(scratch, "test"), reference = FolderOf(scratch, "ref");
  Comparison comparison =
      CompareSources(TensorSource::Open(reference), TensorSource::Open(test), {});
  const TensorComparison* boxes = Find(comparison, "box_distances");
  const TensorComparison* classes = Find(comparison, "top_classes");
  ASSERT_NE(boxes, nullptr);
  ASSERT_NE(classes, nullptr);
  EXPECT_NEAR(boxes->accumulated.mean_abs, 0.039089974651081626, 1e-9);
  EXPECT_EQ(classes->rows->rows, 2 * (6 * 8 + 3 * 4));  // all places: fewer than 100 a picture
  Judge({.gates = PresetGates("blendmask")}, comparison);
  ASSERT_EQ(comparison.gates.size(), 5u);
  EXPECT_NEAR(comparison.gates[0].value, 0.12797102603345745, 1e-9);  // mean over layers
  EXPECT_EQ(comparison.gates[1].tensor, "p3");                        // the worst
  EXPECT_NEAR(comparison.gates[1].value, 0.23806054484409853, 1e-9);
  EXPECT_EQ(comparison.gates[2].outcome, VerdictKind::kPassed);
}

TEST(DetectorComparison, AddsNothingWhereALevelIsIncomplete) {
  const ScratchFolder scratch;
  const std::string test = FolderOf(scratch, "test"), reference = FolderOf(scratch, "ref");
  std::filesystem::remove(test + "/ctrness.p4.npy");
  const Comparison comparison =
      CompareSources(TensorSource::Open(reference), TensorSource::Open(test), {});
  EXPECT_EQ(Find(comparison, "box_distances"), nullptr);
}

// Two results files of one picture: a box one pixel off, and one that is missing.
TEST(DetectorComparison, MatchesTheObjectsOfResults) {
  const ScratchFolder scratch;
  const auto results = [&](const std::string& name, const std::string& instances) {
    return scratch.Write(name,
                         R"({"results":[{"image":"a.png","instances":[)" + instances + "]}]}");
  };
  const auto object = [](const char* left, const char* score, const char* counts) {
    return std::string(R"({"image_id":0,"category_id":2,"bbox":[)") + left + ",0,10,10]," +
           R"("score":)" + score + R"(,"segmentation":{"size":[4,2],"counts":")" + counts + "\"}}";
  };
  const std::string reference =
      results("r.json", object("0", "0.9", "044") + "," + object("50", "0.5", "044"));
  const std::string candidate = results("x.json", object("1", "0.8", "044"));
  const Comparison comparison =
      CompareSources(TensorSource::Open(reference), TensorSource::Open(candidate), {});
  EXPECT_EQ(Find(comparison, "objects")->rows->top1, 0.5);
  EXPECT_NEAR(Find(comparison, "boxes")->accumulated.mean_abs, 0.5, 1e-6);  // two sides of four
  EXPECT_NEAR(Find(comparison, "scores")->accumulated.mean_abs, 0.1, 1e-6);
  EXPECT_EQ(Find(comparison, "mask_overlaps")->accumulated.mean_abs, 0);
  EXPECT_THAT(comparison.notes,
              ::testing::Contains(::testing::HasSubstr("1 of the reference's 2 objects")));
}

}  // namespace
}  // namespace vernier
