// COCO's figures against pycocotools; the goldens are made by tools/coco_expectations.py.
#include "metrics/coco_ap.h"

#include <map>
#include <string>
#include <vector>

#include "core/coco_mask.h"
#include "io/json.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using testing::HasSubstr;

// Both sides average the same hundredths in double; only the order of sums differs.
constexpr double kTolerance = 1e-12;

const Json& Goldens() {
  static const Json goldens = Json::ParseFile(VERNIER_TEST_DATA "/coco_ap/random.json");
  return goldens;
}

CocoBox BoxOf(const Json& row) {
  const std::vector<double> box = row.GetNumbers("bbox");
  return {box[0], box[1], box[2], box[3]};
}

RunLengths MaskOf(const Json& row) {
  const Json& mask = row.GetObject("segmentation");
  const std::vector<int64_t> size = mask.GetInts("size");
  return ParseCompressedText(mask.GetString("counts"), size[0], size[1]);
}

std::vector<CocoTruth> Truths(const Json& set) {
  std::vector<CocoTruth> truths;
  for (const Json& row : set.GetArray("truths").items()) {
    truths.push_back({.image = row.GetInt("image_id"),
                      .category = row.GetInt("category_id"),
                      .box = BoxOf(row),
                      .area = row.GetNumber("area"),
                      .crowd = row.GetInt("iscrowd") == 1,
                      .mask = MaskOf(row)});
  }
  return truths;
}

std::vector<CocoDetection> Detections(const Json& set) {
  std::vector<CocoDetection> detections;
  for (const Json& row : set.GetArray("detections").items()) {
    detections.push_back({.image = row.GetInt("image_id"),
                          .category = row.GetInt("category_id"),
                          .score = row.GetNumber("score"),
                          .box = BoxOf(row),
                          .mask = MaskOf(row)});
  }
  return detections;
}

void ExpectFigures(const CocoFigures& found, const Json& expected) {
  const std::pair<const char*, double> figures[] = {{"ap", found.ap},
                                                    {"ap50", found.ap50},
                                                    {"ap75", found.ap75},
                                                    {"ar1", found.ar1},
                                                    {"ar10", found.ar10},
                                                    {"ar100", found.ar100},
                                                    {"ap_small", found.ap_small},
                                                    {"ap_medium", found.ap_medium},
                                                    {"ap_large", found.ap_large},
                                                    {"ar_small", found.ar_small},
                                                    {"ar_medium", found.ar_medium},
                                                    {"ar_large", found.ar_large}};
  for (const auto& [name, value] : figures) {
    EXPECT_NEAR(value, expected.GetNumber(name), kTolerance) << name;
  }
}

TEST(CocoAp, AgreesWithPycocotoolsOnBoxesAndMasks) {
  for (const Json& set : Goldens().GetArray("sets").items()) {
    const std::vector<CocoTruth> truths = Truths(set);
    const std::vector<CocoDetection> detections = Detections(set);
    SCOPED_TRACE(detections.size());
    ExpectFigures(EvaluateCoco(truths, detections, CocoOverlap::kBox), set.GetObject("bbox"));
    ExpectFigures(EvaluateCoco(truths, detections, CocoOverlap::kMask), set.GetObject("segm"));
  }
}

TEST(CocoAp, CountsAPictureAsOftenAsItIsDrawn) {
  const Json& set = Goldens().GetArray("sets").items()[0];
  std::vector<CocoTruth> truths = Truths(set), drawn_truths;
  std::vector<CocoDetection> detections = Detections(set), drawn_detections;
  std::map<int64_t, int64_t> numbers;
  for (CocoTruth& truth : truths) {
    truth.image = numbers.emplace(truth.image, std::ssize(numbers)).first->second;
  }
  double apart = 0;  // equal scores would let copies of a picture change their order
  for (CocoDetection& detection : detections) {
    detection.score += apart += 1e-9;
    detection.image = numbers.emplace(detection.image, std::ssize(numbers)).first->second;
  }
  std::vector<int> times;
  for (int i = 0; i < std::ssize(numbers); ++i) times.push_back((i + 1) % 3);
  const auto draw = [&](const auto& objects, auto& drawn) {
    for (const auto& object : objects) {
      for (int copy = 0; copy < times[static_cast<size_t>(object.image)]; ++copy) {
        drawn.push_back(object);
        drawn.back().image = 10 * object.image + copy;
      }
    }
  };
  draw(truths, drawn_truths);
  draw(detections, drawn_detections);
  const CocoFigures expected = EvaluateCoco(drawn_truths, drawn_detections, CocoOverlap::kMask);
  const CocoFigures found = CocoScorer(truths, detections, CocoOverlap::kMask).Figures(times);
  EXPECT_GT(expected.ap, 0);
  EXPECT_NEAR(found.ap, expected.ap, kTolerance);
  EXPECT_NEAR(found.ap75, expected.ap75, kTolerance);
  EXPECT_NEAR(found.ap_small, expected.ap_small, kTolerance);
  EXPECT_NEAR(found.ar1, expected.ar1, kTolerance);
}

TEST(CocoAp, SaysNothingWithoutTruths) {
  const std::vector<CocoDetection> detections = {{.score = 1, .box = {0, 0, 5, 5}}};
  EXPECT_EQ(EvaluateCoco({}, detections, CocoOverlap::kBox).ap, -1);
}

TEST(CocoAp, IsZeroWithoutDetections) {
  const std::vector<CocoTruth> truths = {{.box = {0, 0, 5, 5}, .area = 25}};
  const CocoFigures figures = EvaluateCoco(truths, {}, CocoOverlap::kBox);
  EXPECT_EQ(figures.ap, 0);
  EXPECT_EQ(figures.ar100, 0);
  EXPECT_EQ(figures.ap_large, -1);
}

std::vector<uint8_t> Pixels(const Json& rows) {
  std::vector<uint8_t> pixels;
  for (const Json& row : rows.items()) {
    for (const Json& value : row.items()) pixels.push_back(static_cast<uint8_t>(value.AsInt()));
  }
  return pixels;
}

TEST(CocoMask, EncodesAndOverlapsLikePycocotools) {
  for (const Json& row : Goldens().GetArray("overlaps").items()) {
    const std::vector<uint8_t> pixels = Pixels(row.GetArray("a"));
    const RunLengths a = EncodeMask(pixels, 9, 7);
    const RunLengths b = EncodeMask(Pixels(row.GetArray("b")), 9, 7);
    EXPECT_EQ(CompressedText(a), row.GetString("a_counts"));
    EXPECT_EQ(CompressedText(b), row.GetString("b_counts"));
    EXPECT_EQ(DecodeMask(a), pixels);
    EXPECT_EQ(ParseCompressedText(row.GetString("a_counts"), 9, 7).counts, a.counts);
    EXPECT_DOUBLE_EQ(MaskOverlap(a, b, false), row.GetNumber("iou"));
    EXPECT_DOUBLE_EQ(MaskOverlap(a, b, true), row.GetNumber("crowd_iou"));
  }
}

TEST(CocoMask, RefusesTextThatIsNoMask) {
  const auto refusal = [](const char* text) -> std::string {
    try {
      ParseCompressedText(text, 5, 3);
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  };
  EXPECT_EQ(refusal("?"), "no error");  // 15 pixels, none set
  EXPECT_THAT(refusal("o"), HasSubstr("cut short"));
  EXPECT_THAT(refusal("5"), HasSubstr("hold 5 pixels of 5x3"));
  EXPECT_THAT(refusal("oooooooooooooooo"), HasSubstr("belongs to no number"));
  EXPECT_THAT(refusal("!"), HasSubstr("belongs to no number"));
  EXPECT_THAT(refusal("\xff"), HasSubstr("belongs to no number"));
  EXPECT_THAT(refusal("O"), HasSubstr("does not fit a mask of 5x3"));
  EXPECT_THAT(refusal("_2"), HasSubstr("run 0 does not fit"));
}

}  // namespace
}  // namespace vernier
