#include "metrics/coco_ap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "core/coco_mask.h"

namespace vernier {
namespace {

constexpr size_t kOverlaps = 10;
constexpr size_t kRecalls = 101;
constexpr size_t kMostDetections = 100;
constexpr int kUnmatched = -1;

// numpy.linspace's values, to the last bit: a detection may lie exactly on one of them.
std::vector<double> Linspace(double first, double last, size_t count) {
  const double step = (last - first) / static_cast<double>(count - 1);
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<double>(i) * step + first;
  values.back() = last;
  return values;
}

struct AreaRange {
  double least;
  double most;
  bool Holds(double area) const { return area >= least && area <= most; }
};
constexpr double kSmall = 32.0 * 32.0;
constexpr double kMedium = 96.0 * 96.0;
constexpr double kHuge = 1e5 * 1e5;  // pycocotools' bound
constexpr AreaRange kAll = {0, kHuge};

// Truths and detections of one picture and category, detections by falling score, at most 100.
struct Cell {
  std::vector<const CocoTruth*> truths;
  std::vector<const CocoDetection*> detections;
  std::vector<double> detection_areas;
  std::vector<double> overlaps;  // [detections, truths]

  double overlap(size_t detection, size_t truth) const {
    return overlaps[detection * truths.size() + truth];
  }
};

void Measure(Cell& cell, CocoOverlap kind) {
  std::ranges::stable_sort(cell.detections, std::greater<>(), &CocoDetection::score);
  if (cell.detections.size() > kMostDetections) cell.detections.resize(kMostDetections);
  for (const CocoDetection* detection : cell.detections) {
    const bool masks = kind == CocoOverlap::kMask;
    cell.detection_areas.push_back(masks ? static_cast<double>(detection->mask.area())
                                         : detection->box.width * detection->box.height);
    for (const CocoTruth* truth : cell.truths) {
      cell.overlaps.push_back(masks ? MaskOverlap(detection->mask, truth->mask, truth->crowd)
                                    : BoxOverlap(detection->box, truth->box, truth->crowd));
    }
  }
}

// By category, then by picture, both rising.
using Cells = std::map<int64_t, std::map<int64_t, Cell>>;

Cells Sorted(std::span<const CocoTruth> truths, std::span<const CocoDetection> detections,
             CocoOverlap kind) {
  Cells cells;
  for (const CocoTruth& truth : truths) {
    cells[truth.category][truth.image].truths.push_back(&truth);
  }
  for (const CocoDetection& detection : detections) {
    const auto category = cells.find(detection.category);
    if (category == cells.end()) continue;
    category->second[detection.image].detections.push_back(&detection);
  }
  for (auto& [category, pictures] : cells) {
    for (auto& [image, cell] : pictures) Measure(cell, kind);
  }
  return cells;
}

struct Judged {
  double score;
  bool matched;
  bool ignored;
};

// Each detection, best first, takes the unmatched truth that it overlaps most; a crowd may be taken
// again, and what is ignored only where nothing else is left.
class Matcher {
 public:
  Matcher(const Cell& cell, const AreaRange& range) : cell_(cell), range_(range) {
    for (const CocoTruth* truth : cell.truths) {
      ignored_.push_back(truth->crowd || !range.Holds(truth->area));
    }
    order_.resize(cell.truths.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::ranges::stable_sort(order_, {}, [&](size_t truth) { return bool{ignored_[truth]}; });
  }

  int64_t counted_truths() const { return std::ranges::count(ignored_, false); }

  std::vector<Judged> Match(double threshold, size_t most_detections) const {
    std::vector<bool> taken(cell_.truths.size(), false);
    std::vector<Judged> judged;
    for (size_t d = 0; d < std::min(most_detections, cell_.detections.size()); ++d) {
      const int truth = BestTruth(d, threshold, taken);
      bool ignored = !range_.Holds(cell_.detection_areas[d]);
      if (truth != kUnmatched) {
        ignored = ignored_[static_cast<size_t>(truth)];
        taken[static_cast<size_t>(truth)] = true;
      }
      judged.push_back({cell_.detections[d]->score, truth != kUnmatched, ignored});
    }
    return judged;
  }

 private:
  int BestTruth(size_t detection, double threshold, const std::vector<bool>& taken) const {
    double best = std::min(threshold, 1 - 1e-10);
    int match = kUnmatched;
    for (size_t truth : order_) {
      if (taken[truth] && !cell_.truths[truth]->crowd) continue;
      const bool counts_already = match != kUnmatched && !ignored_[static_cast<size_t>(match)];
      if (counts_already && ignored_[truth]) break;
      if (cell_.overlap(detection, truth) < best) continue;
      best = cell_.overlap(detection, truth);
      match = static_cast<int>(truth);
    }
    return match;
  }

  const Cell& cell_;
  AreaRange range_;
  std::vector<bool> ignored_;
  std::vector<size_t> order_;  // counted truths first
};

struct Curve {
  std::vector<double> precision;  // at the 101 recalls
  double recall = 0;              // of all detections
};

Curve MakeCurve(const std::vector<Judged>& judged, int64_t truths) {
  std::vector<double> recalls, precisions;
  double right = 0, wrong = 0;
  for (const Judged& detection : judged) {
    if (!detection.ignored) (detection.matched ? right : wrong) += 1;
    recalls.push_back(right / static_cast<double>(truths));
    precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  for (size_t i = precisions.size(); i-- > 1;) {
    precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);
  }
  static const std::vector<double> kLevels = Linspace(0, 1, kRecalls);
  Curve curve{.precision = std::vector<double>(kRecalls, 0.0)};
  for (size_t level = 0; level < kRecalls; ++level) {
    const auto reached = std::ranges::lower_bound(recalls, kLevels[level]);
    if (reached == recalls.end()) break;
    curve.precision[level] = precisions[static_cast<size_t>(reached - recalls.begin())];
  }
  if (!recalls.empty()) curve.recall = recalls.back();
  return curve;
}

// Mean precision and recall by threshold, over the categories that have truths in a range of area.
struct Means {
  std::array<double, kOverlaps> precision{};
  std::array<double, kOverlaps> recall{};
  int64_t categories = 0;

  double Of(const std::array<double, kOverlaps>& sums) const {
    if (categories == 0) return -1;
    return std::accumulate(sums.begin(), sums.end(), 0.0) /
           static_cast<double>(categories * static_cast<int64_t>(kOverlaps));
  }
  double At(size_t threshold) const {
    return categories == 0 ? -1 : precision[threshold] / static_cast<double>(categories);
  }
};

Means Average(const Cells& cells, const AreaRange& range, size_t most_detections) {
  static const std::vector<double> kThresholds = Linspace(0.5, 0.95, kOverlaps);
  Means means;
  for (const auto& [category, pictures] : cells) {
    std::vector<Matcher> matchers;
    int64_t truths = 0;
    for (const auto& [image, cell] : pictures) {
      matchers.emplace_back(cell, range);
      truths += matchers.back().counted_truths();
    }
    if (truths == 0) continue;
    ++means.categories;
    for (size_t t = 0; t < kOverlaps; ++t) {
      std::vector<Judged> judged;
      for (const Matcher& matcher : matchers) {
        std::ranges::copy(matcher.Match(kThresholds[t], most_detections),
                          std::back_inserter(judged));
      }
      std::ranges::stable_sort(judged, std::greater<>(), &Judged::score);
      const Curve curve = MakeCurve(judged, truths);
      means.precision[t] += std::accumulate(curve.precision.begin(), curve.precision.end(), 0.0) /
                            static_cast<double>(kRecalls);
      means.recall[t] += curve.recall;
    }
  }
  return means;
}

}  // namespace

double BoxOverlap(const CocoBox& detection, const CocoBox& truth, bool crowd) {
  const double width = std::min(detection.x + detection.width, truth.x + truth.width) -
                       std::max(detection.x, truth.x);
  const double height = std::min(detection.y + detection.height, truth.y + truth.height) -
                        std::max(detection.y, truth.y);
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  const double area = detection.width * detection.height;
  return both / (crowd ? area : area + truth.width * truth.height - both);
}

CocoFigures EvaluateCoco(std::span<const CocoTruth> truths,
                         std::span<const CocoDetection> detections, CocoOverlap overlap) {
  const Cells cells = Sorted(truths, detections, overlap);
  const Means all = Average(cells, kAll, kMostDetections);
  const Means small = Average(cells, {0, kSmall}, kMostDetections);
  const Means medium = Average(cells, {kSmall, kMedium}, kMostDetections);
  const Means large = Average(cells, {kMedium, kHuge}, kMostDetections);
  const Means best = Average(cells, kAll, 1);
  const Means best10 = Average(cells, kAll, 10);
  constexpr size_t kAt75 = 5;  // 0.5, 0.55, … 0.75
  return {.ap = all.Of(all.precision),
          .ap50 = all.At(0),
          .ap75 = all.At(kAt75),
          .ap_small = small.Of(small.precision),
          .ap_medium = medium.Of(medium.precision),
          .ap_large = large.Of(large.precision),
          .ar1 = best.Of(best.recall),
          .ar10 = best10.Of(best10.recall),
          .ar100 = all.Of(all.recall),
          .ar_small = small.Of(small.recall),
          .ar_medium = medium.Of(medium.recall),
          .ar_large = large.Of(large.recall)};
}

}  // namespace vernier
