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

// Figures of the set and of its classes, with intervals from pictures drawn again.
class ResampledFigures {
 public:
  ResampledFigures(const Objects& objects, CocoOverlap overlap) : pictures_(objects.pictures) {
    const CocoScorer scorer(objects.truths, objects.detections, overlap);
    figures_.set = scorer.Figures({}, &figures_.classes);
    if (pictures_ < 2) return;
    ForEachResample(pictures_, [&](std::span<const int> times) {
      Figures& figures = resampled_.emplace_back();
      figures.set = scorer.Figures(times, &figures.classes);
    });
  }

  Metric OfSet(std::string name, double CocoFigures::*figure) const {
    return Of(std::move(name), [figure](const Figures& figures) { return figures.set.*figure; });
  }

  Metric OfClass(std::string name, int64_t category, double CocoCategory::*figure) const {
    return Of(std::move(name), [category, figure](const Figures& figures) {
      return *std::ranges::find(figures.classes, category, &CocoCategory::category).*figure;
    });
  }

 private:
  struct Figures {
    CocoFigures set;
    std::vector<CocoCategory> classes;
  };

  template <typename Pick>
  Metric Of(std::string name, const Pick& pick) const {
    const double value = OrNone(pick(figures_));
    std::vector<double> resampled;
    for (const Figures& figures : resampled_) resampled.push_back(OrNone(pick(figures)));
    return SummarizeResampled(std::move(name), value, std::isnan(value) ? 0 : pictures_,
                              std::move(resampled));
  }

  int64_t pictures_;
  Figures figures_;
  std::vector<Figures> resampled_;
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
  std::vector<ResampledFigures> figures;
  for (const Kind& kind : kKinds) {
    figures.emplace_back(objects, kind.overlap);
    for (const Figure& figure : kFigures) {
      std::string name = fmt::format("{}{}", kind.prefix, figure.name);
      if (std::ranges::count(names, name) == 0) continue;
      metrics.push_back(figures.back().OfSet(std::move(name), figure.value));
    }
  }
  for (const auto& [name, category] : objects.classes) {
    for (size_t i = 0; i < std::size(kKinds); ++i) {
      const auto add = [&](const char* figure, double CocoCategory::*value) {
        metrics.push_back(figures[i].OfClass(fmt::format("{}{}.{}", kKinds[i].prefix, figure, name),
                                             category, value));
      };
      add("ap", &CocoCategory::ap);
      add("ap50", &CocoCategory::ap50);
    }
  }
  return metrics;
}

}  // namespace vernier
