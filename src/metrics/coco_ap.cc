#include "metrics/coco_ap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
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

// What became of a detection at one threshold.
struct Judged {
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
      judged.push_back({truth != kUnmatched, ignored});
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

// A detection at all thresholds, one bit each.
struct Ranked {
  double score;
  int64_t image;
  uint16_t matched = 0;
  uint16_t ignored = 0;
};

// All detections of a category in a range of area, by falling score, and each picture's truths.
struct RankedCategory {
  std::vector<Ranked> detections;
  std::vector<std::pair<int64_t, int64_t>> truths;  // picture, how many count
};

const std::vector<double>& Thresholds() {
  static const std::vector<double> thresholds = Linspace(0.5, 0.95, kOverlaps);
  return thresholds;
}

RankedCategory Rank(const std::map<int64_t, Cell>& pictures, const AreaRange& range,
                    size_t most_detections) {
  RankedCategory category;
  for (const auto& [image, cell] : pictures) {
    const Matcher matcher(cell, range);
    category.truths.emplace_back(image, matcher.counted_truths());
    const size_t first = category.detections.size();
    const size_t count = std::min(most_detections, cell.detections.size());
    for (size_t d = 0; d < count; ++d) {
      category.detections.push_back({.score = cell.detections[d]->score, .image = image});
    }
    for (size_t t = 0; t < kOverlaps; ++t) {
      const std::vector<Judged> judged = matcher.Match(Thresholds()[t], most_detections);
      for (size_t d = 0; d < count; ++d) {
        Ranked& detection = category.detections[first + d];
        detection.matched |= static_cast<uint16_t>(judged[d].matched << t);
        detection.ignored |= static_cast<uint16_t>(judged[d].ignored << t);
      }
    }
  }
  std::ranges::stable_sort(category.detections, std::greater<>(), &Ranked::score);
  return category;
}

// How often each picture counts; without a list, once.
class Times {
 public:
  explicit Times(std::span<const int> times) : times_(times) {}
  double operator()(int64_t image) const {
    return times_.empty() ? 1 : times_[static_cast<size_t>(image)];
  }

 private:
  std::span<const int> times_;
};

// Precision at the 101 recalls, summed, and the recall of all detections.
struct Curve {
  double precision = 0;
  double recall = 0;
};

// The curve of one threshold, from its right detections alone: recall rises only there, and
// precision, made monotone from the right, is largest there.
class CurveAtThreshold {
 public:
  void Clear() {
    right_ = 0;
    recalls_.clear();
    precisions_.clear();
  }

  // `wrong` of those before it.
  void AddRight(double times, double wrong, double truths) {
    right_ += times;
    recalls_.push_back(right_ / truths);
    precisions_.push_back(right_ / (right_ + wrong + std::numeric_limits<double>::epsilon()));
  }

  Curve Finish() {
    static const std::vector<double> kLevels = Linspace(0, 1, kRecalls);
    for (size_t i = precisions_.size(); i-- > 1;) {
      precisions_[i - 1] = std::max(precisions_[i - 1], precisions_[i]);
    }
    Curve curve;
    auto reached = recalls_.begin();
    for (size_t level = 0; level < kRecalls; ++level) {
      reached = std::lower_bound(reached, recalls_.end(), kLevels[level]);
      if (reached == recalls_.end()) break;
      curve.precision += precisions_[static_cast<size_t>(reached - recalls_.begin())];
    }
    if (!recalls_.empty()) curve.recall = recalls_.back();
    return curve;
  }

 private:
  double right_ = 0;
  std::vector<double> recalls_, precisions_;  // they keep their memory from call to call
};

// The curves of a category at all thresholds.
class CurveMaker {
 public:
  std::array<Curve, kOverlaps> Make(const RankedCategory& category, double truths,
                                    const Times& times) {
    for (CurveAtThreshold& curve : curves_) curve.Clear();
    double wrong_everywhere = 0;
    std::array<double, kOverlaps> wrong{};  // beyond that
    for (const Ranked& detection : category.detections) {
      const double count = times(detection.image);
      if (count == 0) continue;
      if ((detection.matched | detection.ignored) == 0) {
        wrong_everywhere += count;
        continue;
      }
      for (size_t t = 0; t < kOverlaps; ++t) {
        if ((detection.ignored >> t & 1) != 0) continue;
        if ((detection.matched >> t & 1) != 0) {
          curves_[t].AddRight(count, wrong_everywhere + wrong[t], truths);
        } else {
          wrong[t] += count;
        }
      }
    }
    std::array<Curve, kOverlaps> made;
    for (size_t t = 0; t < kOverlaps; ++t) made[t] = curves_[t].Finish();
    return made;
  }

 private:
  std::array<CurveAtThreshold, kOverlaps> curves_;
};

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

// `each` is told of every category by its place, and may be empty.
Means Average(std::span<const RankedCategory> categories, const Times& times,
              const std::function<void(size_t, const Means&)>& each = {}) {
  Means means;
  CurveMaker maker;
  for (size_t i = 0; i < categories.size(); ++i) {
    double truths = 0;
    for (const auto& [image, count] : categories[i].truths) {
      truths += times(image) * static_cast<double>(count);
    }
    if (truths == 0) continue;
    const std::array<Curve, kOverlaps> curves = maker.Make(categories[i], truths, times);
    Means own{.categories = 1};
    for (size_t t = 0; t < kOverlaps; ++t) {
      own.precision[t] = curves[t].precision / static_cast<double>(kRecalls);
      own.recall[t] = curves[t].recall;
      means.precision[t] += own.precision[t];
      means.recall[t] += own.recall[t];
    }
    ++means.categories;
    if (each) each(i, own);
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

struct CocoScorer::Impl {
  std::vector<int64_t> categories;
  // Categories by range of area and by how many detections of a picture count.
  std::vector<RankedCategory> all, small, medium, large, best, best10;
};

CocoScorer::CocoScorer(std::span<const CocoTruth> truths, std::span<const CocoDetection> detections,
                       CocoOverlap overlap)
    : impl_(std::make_unique<Impl>()) {
  for (const auto& [category, pictures] : Sorted(truths, detections, overlap)) {
    impl_->categories.push_back(category);
    impl_->all.push_back(Rank(pictures, kAll, kMostDetections));
    impl_->small.push_back(Rank(pictures, {0, kSmall}, kMostDetections));
    impl_->medium.push_back(Rank(pictures, {kSmall, kMedium}, kMostDetections));
    impl_->large.push_back(Rank(pictures, {kMedium, kHuge}, kMostDetections));
    impl_->best.push_back(Rank(pictures, kAll, 1));
    impl_->best10.push_back(Rank(pictures, kAll, 10));
  }
}
CocoScorer::~CocoScorer() = default;

CocoFigures CocoScorer::Figures(std::span<const int> times_of_images,
                                std::vector<CocoCategory>* each) const {
  const Times times(times_of_images);
  if (each != nullptr) {
    each->clear();
    for (const int64_t category : impl_->categories) each->push_back({.category = category});
  }
  const Means all = Average(impl_->all, times, [each](size_t i, const Means& own) {
    if (each == nullptr) return;
    (*each)[i].ap = own.Of(own.precision);
    (*each)[i].ap50 = own.At(0);
  });
  const Means small = Average(impl_->small, times);
  const Means medium = Average(impl_->medium, times);
  const Means large = Average(impl_->large, times);
  const Means best = Average(impl_->best, times);
  const Means best10 = Average(impl_->best10, times);
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

CocoFigures EvaluateCoco(std::span<const CocoTruth> truths,
                         std::span<const CocoDetection> detections, CocoOverlap overlap) {
  return CocoScorer(truths, detections, overlap).Figures();
}

}  // namespace vernier
