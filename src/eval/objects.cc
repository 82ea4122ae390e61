#include "eval/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/coco_mask.h"
#include "core/json_writer.h"
#include "io/json.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kPlace = "objects of a sample";

void WriteMask(const RunLengths& mask, JsonWriter& json) {
  json.Key("segmentation")
      .BeginObject()
      .Key("size")
      .Array(std::vector<int64_t>{mask.height, mask.width})
      .Field("counts", CompressedText(mask))
      .EndObject();
}

RunLengths MaskOf(const Json& row) {
  const Json& mask = row.GetObject("segmentation");
  const std::vector<int64_t> size = mask.GetInts("size");
  if (size.size() != 2) {
    throw Error(ErrorKind::kInput, mask.Where("size") + " is not [height, width]");
  }
  return ParseCompressedText(mask.GetString("counts"), size[0], size[1]);
}

CocoBox BoxOf(const Json& row) {
  const std::vector<double> box = row.GetNumbers("bbox");
  if (box.size() != 4) {
    throw Error(ErrorKind::kInput, row.Where("bbox") + " is not [left, top, width, height]");
  }
  return {box[0], box[1], box[2], box[3]};
}

std::map<int64_t, int64_t> ClassesByName(const Dataset& set,
                                         const std::vector<std::string>& labels) {
  std::map<int64_t, int64_t> numbers;
  for (const ObjectClass& object : set.classes) {
    const auto found = std::ranges::find(labels, object.name);
    if (found == labels.end()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: the class '{}' is none of the model's {}", set.path, object.name,
                              labels.size()),
                  fmt::format("the model's first is '{}'; --class-names FILE gives its classes "
                              "other names",
                              labels[0]));
    }
    numbers[object.id] = found - labels.begin();
  }
  return numbers;
}

}  // namespace

std::string ObjectText(const CocoTruth& truth, const std::string& class_name) {
  JsonWriter json(JsonWriter::Layout::kOneLine);
  json.BeginObject()
      .Field("category_id", truth.category)
      .Field("category", class_name)
      .Key("bbox")
      .Array(std::vector<double>{truth.box.x, truth.box.y, truth.box.width, truth.box.height})
      .Field("area", truth.area)
      .Field("iscrowd", truth.crowd);
  WriteMask(truth.mask, json);
  return json.EndObject().Take();
}

CocoTruth ParseObject(const std::string& text, int64_t image) {
  const Json row = Json::Parse(text, kPlace);
  return {.image = image,
          .category = row.GetInt("category_id"),
          .box = BoxOf(row),
          .area = row.GetNumber("area"),
          .crowd = row.GetBool("iscrowd", false),
          .mask = MaskOf(row)};
}

std::string ObjectClassName(const std::string& text) {
  return Json::Parse(text, kPlace).GetString("category");
}

std::string DetectionsText(const std::vector<Instance>& instances) {
  JsonWriter json(JsonWriter::Layout::kOneLine);
  json.BeginArray();
  for (const Instance& instance : instances) {
    const auto& box = instance.box;
    json.BeginObject()
        .Field("category_id", instance.category)
        .Key("bbox")
        .Array(std::vector<float>{box[0], box[1], box[2] - box[0], box[3] - box[1]})
        .Field("score", instance.score);
    WriteMask(instance.mask, json);
    json.EndObject();
  }
  return json.EndArray().Take();
}

std::vector<CocoDetection> ParseDetections(const std::string& text, int64_t image) {
  std::vector<CocoDetection> detections;
  const Json rows = Json::Parse(text, kPlace);
  for (const Json& row : rows.items()) {
    detections.push_back({.image = image,
                          .category = row.GetInt("category_id"),
                          .score = row.GetNumber("score"),
                          .box = BoxOf(row),
                          .mask = MaskOf(row)});
  }
  return detections;
}

void UseModelClasses(Dataset& set, const std::vector<std::string>& labels, int64_t classes) {
  std::map<int64_t, int64_t> numbers;
  if (!labels.empty()) {
    numbers = ClassesByName(set, labels);
  } else if (std::ssize(set.classes) == classes) {
    for (const ObjectClass& object : set.classes) {
      numbers.emplace(object.id, static_cast<int64_t>(numbers.size()));
    }
  } else {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: the set has {} classes, and the model {} without names", set.path,
                            set.classes.size(), classes),
                "give the model's with --class-names FILE, in their order");
  }
  for (Sample& sample : set.samples) {
    for (std::string& text : sample.expected) {
      CocoTruth truth = ParseObject(text, 0);
      truth.category = numbers.at(truth.category);
      text = ObjectText(truth, ObjectClassName(text));
    }
  }
}

}  // namespace vernier
