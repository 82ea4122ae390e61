// Sets of objects: read as COCO writes them, scored as pycocotools does.
#include "eval/objects.h"

#include <cmath>

#include "core/coco_mask.h"
#include "eval/dataset.h"
#include "eval/score.h"
#include "eval/score_tasks.h"
#include "io/json.h"
#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kSet = R"({
  "images": [{"id": 7, "file_name": "a.png", "height": 4, "width": 6},
             {"id": 3, "file_name": "b.png", "height": 2, "width": 2}],
  "annotations": [
    {"id": 1, "image_id": 7, "category_id": 13, "bbox": [1, 1, 3, 2], "area": 6, "iscrowd": 0,
     "segmentation": [[1, 1, 4, 1, 4, 3, 1, 3]]},
    {"id": 2, "image_id": 3, "category_id": 1, "bbox": [0, 0, 1, 2], "area": 2, "iscrowd": 1,
     "segmentation": {"size": [2, 2], "counts": [0, 2, 2]}}],
  "categories": [{"id": 13, "name": "sign"}, {"id": 1, "name": "person"}]})";

Dataset SetOf(const ScratchFolder& folder, const std::string& text) {
  folder.Write("pictures/a.png", "");
  return LoadDataset(folder.Write("annotations.json", text));
}

TEST(CocoSet, IsReadWithPolygonsAndRunsAndItsPictures) {
  const ScratchFolder folder;
  const Dataset set = SetOf(folder, kSet);
  EXPECT_EQ(set.layout, "COCO instances");
  EXPECT_EQ(set.kind, SetKind::kObjects);
  ASSERT_EQ(set.samples.size(), 2u);
  EXPECT_EQ(set.samples[0].id, "7");
  EXPECT_EQ(set.samples[0].image, folder.path("pictures/a.png"));
  ASSERT_EQ(set.samples[0].expected.size(), 1u);
  const CocoTruth sign = ParseObject(set.samples[0].expected[0], 5);
  EXPECT_EQ(sign.image, 5);
  EXPECT_EQ(sign.category, 13);
  EXPECT_EQ(sign.mask.area(), 6);
  EXPECT_FALSE(sign.crowd);
  const CocoTruth crowd = ParseObject(set.samples[1].expected[0], 0);
  EXPECT_TRUE(crowd.crowd);
  EXPECT_THAT(crowd.mask.counts, ElementsAre(0, 2, 2));
}

TEST(CocoSet, IsFoundInAFolderByItsName) {
  const ScratchFolder folder;
  SetOf(folder, kSet);
  EXPECT_EQ(LoadDataset(folder.path()).layout, "COCO instances");
}

std::string Refusal(const std::string& what, const std::string& by) {
  const ScratchFolder folder;
  std::string text = kSet;
  text.replace(text.find(what), what.size(), by);
  return MessageOf([&] { SetOf(folder, text); });
}

TEST(CocoSet, NamesWhatIsWrong) {
  EXPECT_THAT(Refusal("\"image_id\": 7", "\"image_id\": 9"),
              HasSubstr("image_id: expected the id of one of the images"));
  EXPECT_THAT(Refusal("\"category_id\": 13", "\"category_id\": 2"),
              HasSubstr("expected the id of one of the categories"));
  EXPECT_THAT(Refusal("[1, 1, 4, 1, 4, 3, 1, 3]", "[1, 1, 4, 1]"),
              HasSubstr("polygons of at least three points"));
  EXPECT_THAT(Refusal("[0, 2, 2]", "[0, 2, 9]"), HasSubstr("runs that fit the picture"));
  EXPECT_THAT(Refusal("[0, 2, 2]", "[0, 2, 1]"), HasSubstr("runs that fill the picture"));
  EXPECT_THAT(Refusal("[2, 2], \"counts\"", "[2, 3], \"counts\""), HasSubstr("the picture's"));
  EXPECT_THAT(Refusal("\"height\": 4", "\"height\": 0"), HasSubstr("a side in pixels"));
  EXPECT_THAT(Refusal("[1, 1, 3, 2]", "[1, 1]"), HasSubstr("[left, top, width, height]"));
  EXPECT_THAT(Refusal("a.png", "c.png"), HasSubstr("its picture c.png is neither beside it"));
}

TEST(UseModelClasses, GoesByNameAndElseByOrder) {
  const ScratchFolder folder;
  const auto category = [&](const std::vector<std::string>& labels, int64_t classes) {
    Dataset set = SetOf(folder, kSet);
    UseModelClasses(set, labels, classes);
    return ParseObject(set.samples[0].expected[0], 0).category;
  };
  EXPECT_EQ(category({"sign", "dog", "person"}, 3), 0);
  EXPECT_EQ(category({}, 2), 1);
  EXPECT_THAT(MessageOf([&] {
                category({"sign", "dog"}, 2);
              }),
              HasSubstr("the class 'person' is none of the model's 2"));
  EXPECT_THAT(MessageOf([&] { category({}, 5); }),
              HasSubstr("the set has 2 classes, and the model 5 without names"));
}

// The records of pycocotools' random sets, as a results file would have them.
std::vector<Record> RecordsOf(const Json& set) {
  std::map<int64_t, Record> by_image;
  const auto mask = [](const Json& row) {
    const Json& runs = row.GetObject("segmentation");
    const std::vector<int64_t> size = runs.GetInts("size");
    return ParseCompressedText(runs.GetString("counts"), size[0], size[1]);
  };
  for (const Json& row : set.GetArray("truths").items()) {
    const std::vector<double> box = row.GetNumbers("bbox");
    Record& record = by_image[row.GetInt("image_id")];
    record.expected.push_back(ObjectText({.category = row.GetInt("category_id"),
                                          .box = {box[0], box[1], box[2], box[3]},
                                          .area = row.GetNumber("area"),
                                          .crowd = row.GetInt("iscrowd") == 1,
                                          .mask = mask(row)},
                                         "thing"));
  }
  for (const Json& row : set.GetArray("detections").items()) {
    std::string& answer = by_image[row.GetInt("image_id")].answer;
    answer += (answer.empty() ? "[" : ",") + row.Compact();
  }
  std::vector<Record> records;
  for (auto& [image, record] : by_image) {
    record.answer += record.answer.empty() ? "[]" : "]";
    records.push_back(std::move(record));
  }
  return records;
}

double ValueOf(const std::vector<Metric>& metrics, std::string_view name) {
  return std::ranges::find(metrics, name, &Metric::name)->value;
}

// pycocotools says -1 where there is nothing to find.
void ExpectFigure(double found, double expected) {
  if (expected < 0) {
    EXPECT_TRUE(std::isnan(found));
  } else {
    EXPECT_NEAR(found, expected, 1e-6);
  }
}

TEST(ScoreObjects, EqualsPycocotools) {
  const Json goldens = Json::ParseFile(VERNIER_TEST_DATA "/coco_ap/random.json");
  for (const Json& set : goldens.GetArray("sets").items()) {
    const std::vector<Metric> metrics =
        ScoreObjects(RecordsOf(set), ObjectMetricNames(), FailedSamples::kLeftOut);
    for (const char* name : {"ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"}) {
      ExpectFigure(ValueOf(metrics, std::string("mask_") + name),
                   set.GetObject("segm").GetNumber(name));
      ExpectFigure(ValueOf(metrics, std::string("box_") + name),
                   set.GetObject("bbox").GetNumber(name));
    }
  }
}

TEST(ScoreObjects, KnowsHowSureAveragePrecisionIs) {
  const RunLengths mask = EncodeMask(std::vector<uint8_t>(16, 1), 4, 4);
  const std::string object = ObjectText({.box = {0, 0, 4, 4}, .area = 16, .mask = mask}, "disc");
  const std::string found =
      DetectionsText({{.category = 0, .score = 0.5F, .box = {0, 0, 4, 4}, .mask = mask}});
  std::vector<Record> records(40, {.expected = {object}, .answer = found});
  const auto metric = [&](std::string_view name) {
    const auto metrics = ScoreObjects(records, ObjectMetricNames(), FailedSamples::kLeftOut);
    return *std::ranges::find(metrics, name, &Metric::name);
  };
  EXPECT_EQ(metric("mask_ap50").interval.high, 1);
  EXPECT_NEAR(metric("mask_ap50").interval.low, std::pow(0.025, 1.0 / 40), 1e-12);
  for (size_t i = 0; i < 20; ++i) records[i].answer = "[]";  // half of them are missed
  const Metric half = metric("mask_ap50.disc");
  EXPECT_NEAR(half.value, 51.0 / 101, 1e-12);
  EXPECT_NEAR(half.interval.low, 0.35, 0.04);
  EXPECT_NEAR(half.interval.high, 0.65, 0.04);
}

TEST(ScoreObjects, SaysNothingOfRangesWithoutObjectsAndCountsFailedPicturesAsWrong) {
  const RunLengths mask = EncodeMask(std::vector<uint8_t>(16, 1), 4, 4);
  const std::string object = ObjectText({.box = {0, 0, 4, 4}, .area = 16, .mask = mask}, "disc");
  const std::string found =
      DetectionsText({{.category = 0, .score = 0.5F, .box = {0, 0, 4, 4}, .mask = mask}});
  const std::vector<Record> records = {{.expected = {object}, .answer = found},
                                       {.expected = {object}, .error = "unreadable"}};
  const auto left_out = ScoreObjects(records, ObjectMetricNames(), FailedSamples::kLeftOut);
  EXPECT_DOUBLE_EQ(ValueOf(left_out, "mask_ap"), 1);
  EXPECT_DOUBLE_EQ(ValueOf(left_out, "mask_ap50.disc"), 1);
  EXPECT_EQ(std::ranges::find(left_out, "mask_ap_large", &Metric::name)->n, 0);
  const auto wrong = ScoreObjects(records, ObjectMetricNames(), FailedSamples::kWrong);
  EXPECT_NEAR(ValueOf(wrong, "box_ap"), 51.0 / 101, 1e-12);
}

}  // namespace
}  // namespace vernier
