// The model that comes along and cuts out shapes, on 50 scenes that it never saw.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/coco_mask.h"
#include "io/json.h"
#include "metrics/coco_ap.h"
#include "vernier/session.h"

namespace vernier {
namespace {

const std::string kModel = std::string(VERNIER_SOURCE_DIR) + "/models/scenes-blendmask";
constexpr int64_t kSide = 192;

CocoBox BoxOf(const Json& row) {
  const std::vector<double> box = row.GetNumbers("bbox");
  return {box[0], box[1], box[2], box[3]};
}

RunLengths MaskOf(const Json& row) {
  return ParseCompressedText(row.GetObject("segmentation").GetString("counts"), kSide, kSide);
}

std::vector<CocoTruth> Truths(const Json& annotations) {
  std::vector<CocoTruth> truths;
  for (const Json& row : annotations.GetArray("annotations").items()) {
    truths.push_back({.image = row.GetInt("image_id"),
                      .category = row.GetInt("category_id"),
                      .box = BoxOf(row),
                      .area = row.GetNumber("area"),
                      .mask = MaskOf(row)});
  }
  return truths;
}

// What torch finds with the same files.
std::vector<CocoDetection> Reference() {
  const Json file = Json::ParseFile(kModel + "/test/reference_results.json");
  std::vector<CocoDetection> found;
  for (const Json& row : file.items()) {
    found.push_back({.image = row.GetInt("image_id"),
                     .category = row.GetInt("category_id"),
                     .score = row.GetNumber("score"),
                     .box = BoxOf(row),
                     .mask = MaskOf(row)});
  }
  return found;
}

std::vector<CocoDetection> Found(const Json& annotations, const std::string& dtype) {
  Session session({.model = kModel, .dtype = dtype});
  std::vector<CocoDetection> found;
  for (const Json& image : annotations.GetArray("images").items()) {
    const Pictures pictures =
        session.ReadImages({kModel + "/test/jpg/" + image.GetString("file_name")});
    const auto instances = session.FindInstances(session.Run(pictures.inputs), pictures.info);
    for (const Instance& one : instances.at(0).instances) {
      const auto [left, top, right, bottom] = one.box;
      found.push_back({.image = image.GetInt("id"),
                       .category = one.category,
                       .score = one.score,
                       .box = {left, top, right - left, bottom - top},
                       .mask = one.mask});
    }
  }
  return found;
}

double MaskAp50(const Json& annotations, const std::vector<CocoDetection>& found) {
  return EvaluateCoco(Truths(annotations), found, CocoOverlap::kMask).ap50;
}

TEST(ScenesModel, FindsWhatTorchFindsAndReachesTheFigureOfItsCard) {
  const Json annotations = Json::ParseFile(kModel + "/test/annotations.json");
  const std::vector<CocoDetection> reference = Reference();
  const std::vector<CocoDetection> found = Found(annotations, "f32");
  EXPECT_NEAR(MaskAp50(annotations, found), 0.939, 0.002);
  int missed = 0;
  for (const CocoDetection& wanted : reference) {
    missed += std::ranges::none_of(found, [&](const CocoDetection& one) {
      return one.image == wanted.image && one.category == wanted.category &&
             std::abs(one.score - wanted.score) < 1e-3 &&
             BoxOverlap(one.box, wanted.box, false) > 0.99 &&
             MaskOverlap(one.mask, wanted.mask, false) > 0.98;
    });
  }
  // Scores next to the threshold, and overlaps next to suppression's, may fall either way.
  EXPECT_LE(missed, std::ssize(reference) / 200);
  EXPECT_NEAR(static_cast<double>(found.size()), static_cast<double>(reference.size()),
              static_cast<double>(reference.size()) / 200);
}

TEST(ScenesModel, StaysWithinAHundredthInBf16) {
  const Json annotations = Json::ParseFile(kModel + "/test/annotations.json");
  EXPECT_NEAR(MaskAp50(annotations, Found(annotations, "bf16")), 0.939, 0.01);
}

}  // namespace
}  // namespace vernier
