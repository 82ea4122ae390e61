#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "eval/objects.h"
#include "eval/score_tasks.h"
#include "metrics/coco_ap.h"

namespace vernier {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Figure {
  std::string_view name;
  double CocoFigures::*value;
};

constexpr Figure kFigures[] = {
    {"ap", &CocoFigures::ap},
    {"ap50", &CocoFigures::ap50},
    {"ap75", &CocoFigures::ap75},
    {"ap_small", &CocoFigures::ap_small},
    {"ap_medium", &CocoFigures::ap_medium},
    {"ap_large", &CocoFigures::ap_large},
    {"ar100", &CocoFigures::ar100},
};

struct Kind {
  std::string_view prefix;
  CocoOverlap overlap;
};

constexpr Kind kKinds[] = {{"mask_", CocoOverlap::kMask}, {"box_", CocoOverlap::kBox}};

struct Objects {
  std::vector<CocoTruth> truths;
  std::vector<CocoDetection> detections;
  std::map<std::string, int64_t> classes;
  int64_t pictures = 0;
};

Objects ObjectsOf(std::span<const Record> records, FailedSamples failed) {
  Objects objects;
  for (const Record& record : records) {
    if (record.failed() && failed == FailedSamples::kLeftOut) continue;
    const int64_t image = objects.pictures++;
    for (const std::string& text : record.expected) {
      objects.truths.push_back(ParseObject(text, image));
      objects.classes.emplace(ObjectClassName(text), objects.truths.back().category);
    }
    if (record.failed()) continue;
    for (CocoDetection& detection : ParseDetections(record.answer, image)) {
      objects.detections.push_back(std::move(detection));
    }
  }
  return objects;
}

Metric MetricOf(std::string name, double value, int64_t pictures) {
  return {.name = std::move(name),
          .value = value < 0 ? kNone : value,
          .interval = {kNone, kNone},
          .n = value < 0 ? 0 : pictures};
}

}  // namespace

std::vector<std::string> ObjectMetricNames() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) {
    for (const Figure& figure : kFigures)
      names.push_back(fmt::format("{}{}", kind.prefix, figure.name));
  }
  return names;
}

std::vector<Metric> ScoreObjects(std::span<const Record> records,
                                 std::span<const std::string> names, FailedSamples failed) {
  const Objects objects = ObjectsOf(records, failed);
  std::vector<Metric> metrics;
  for (const Kind& kind : kKinds) {
    const CocoFigures figures = EvaluateCoco(objects.truths, objects.detections, kind.overlap);
    for (const Figure& figure : kFigures) {
      std::string name = fmt::format("{}{}", kind.prefix, figure.name);
      if (std::ranges::count(names, name) == 0) continue;
      metrics.push_back(MetricOf(std::move(name), figures.*figure.value, objects.pictures));
    }
  }
  for (const auto& [name, category] : objects.classes) {
    const auto of_class = [id = category](const auto& object) { return object.category == id; };
    std::vector<CocoTruth> truths;
    std::ranges::copy_if(objects.truths, std::back_inserter(truths), of_class);
    std::vector<CocoDetection> detections;
    std::ranges::copy_if(objects.detections, std::back_inserter(detections), of_class);
    for (const Kind& kind : kKinds) {
      const CocoFigures figures = EvaluateCoco(truths, detections, kind.overlap);
      metrics.push_back(
          MetricOf(fmt::format("{}ap.{}", kind.prefix, name), figures.ap, objects.pictures));
      metrics.push_back(
          MetricOf(fmt::format("{}ap50.{}", kind.prefix, name), figures.ap50, objects.pictures));
    }
  }
  return metrics;
}

}  // namespace vernier
