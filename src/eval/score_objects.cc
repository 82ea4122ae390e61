#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

double OrNone(double figure) { return figure < 0 ? kNone : figure; }

// Figures of the set, with intervals from pictures drawn again.
class ResampledFigures {
 public:
  ResampledFigures(std::span<const CocoTruth> truths, std::span<const CocoDetection> detections,
                   CocoOverlap overlap, int64_t pictures)
      : pictures_(pictures) {
    const CocoScorer scorer(truths, detections, overlap);
    figures_ = scorer.Figures();
    if (pictures < 2) return;
    ForEachResample(
        pictures, [&](std::span<const int> times) { resampled_.push_back(scorer.Figures(times)); });
  }

  Metric Of(std::string name, double CocoFigures::*figure) const {
    const double value = OrNone(figures_.*figure);
    std::vector<double> resampled;
    for (const CocoFigures& figures : resampled_) resampled.push_back(OrNone(figures.*figure));
    return SummarizeResampled(std::move(name), value, std::isnan(value) ? 0 : pictures_,
                              std::move(resampled));
  }

 private:
  int64_t pictures_;
  CocoFigures figures_;
  std::vector<CocoFigures> resampled_;
};

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
    const ResampledFigures figures(objects.truths, objects.detections, kind.overlap,
                                   objects.pictures);
    for (const Figure& figure : kFigures) {
      std::string name = fmt::format("{}{}", kind.prefix, figure.name);
      if (std::ranges::count(names, name) == 0) continue;
      metrics.push_back(figures.Of(std::move(name), figure.value));
    }
  }
  for (const auto& [name, category] : objects.classes) {
    const auto of_class = [id = category](const auto& object) { return object.category == id; };
    std::vector<CocoTruth> truths;
    std::ranges::copy_if(objects.truths, std::back_inserter(truths), of_class);
    std::vector<CocoDetection> detections;
    std::ranges::copy_if(objects.detections, std::back_inserter(detections), of_class);
    for (const Kind& kind : kKinds) {
      const ResampledFigures figures(truths, detections, kind.overlap, objects.pictures);
      metrics.push_back(figures.Of(fmt::format("{}ap.{}", kind.prefix, name), &CocoFigures::ap));
      metrics.push_back(
          figures.Of(fmt::format("{}ap50.{}", kind.prefix, name), &CocoFigures::ap50));
    }
  }
  return metrics;
}

}  // namespace vernier
