#include "metrics/detector_figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/check.h"

namespace vernier {
namespace {

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// Scores of all classes at all locations of one picture, [locations, classes].
struct Scores {
  int64_t classes = 0;
  std::vector<double> values = {};

  std::span<const double> Row(int64_t location) const {
    return std::span(values).subspan(static_cast<size_t>(location * classes),
                                     static_cast<size_t>(classes));
  }
  int64_t locations() const { return std::ssize(values) / classes; }
};

Scores ScoresOf(std::span<const DetectorLevel> levels, int64_t picture) {
  Scores scores{.classes = levels[0].cls_logits.shape[1]};
  for (const DetectorLevel& level : levels) {
    const int64_t places = level.cls_logits.shape[2] * level.cls_logits.shape[3];
    const float* logits = level.cls_logits.as<float>().data() + picture * scores.classes * places;
    const float* ctrness = level.ctrness.as<float>().data() + picture * places;
    for (int64_t place = 0; place < places; ++place) {
      const double centre = Sigmoid(ctrness[place]);
      for (int64_t c = 0; c < scores.classes; ++c) {
        scores.values.push_back(std::sqrt(Sigmoid(logits[c * places + place]) * centre));
      }
    }
  }
  return scores;
}

std::vector<int64_t> TopLocations(const Scores& scores, int64_t count) {
  std::vector<double> best;
  for (int64_t i = 0; i < scores.locations(); ++i) best.push_back(std::ranges::max(scores.Row(i)));
  std::vector<int64_t> order(best.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](int64_t i) { return best[static_cast<size_t>(i)]; });
  order.resize(static_cast<size_t>(std::min<int64_t>(count, std::ssize(order))));
  return order;
}

TensorView RowsOf(const std::vector<double>& values, int64_t width) {
  return {values.data(), DType::kF64, {std::ssize(values) / width, width}};
}

std::vector<float> AllDistances(std::span<const DetectorLevel> levels) {
  std::vector<float> all;
  for (const DetectorLevel& level : levels) {
    const auto values = level.bbox_reg.as<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

TensorView Flat(const std::vector<float>& values) {
  return {values.data(), DType::kF32, {std::ssize(values)}};
}

}  // namespace

DetectorFigures MeasureDetector(std::span<const DetectorLevel> candidate,
                                std::span<const DetectorLevel> reference, int64_t locations) {
  VN_CHECK(!reference.empty() && candidate.size() == reference.size());
  const std::vector<float> x = AllDistances(candidate), r = AllDistances(reference);
  std::vector<double> classes_x, classes_r, best_x, best_r;
  const int64_t pictures = reference[0].cls_logits.shape[0];
  for (int64_t picture = 0; picture < pictures; ++picture) {
    const Scores scores_x = ScoresOf(candidate, picture), scores_r = ScoresOf(reference, picture);
    for (const int64_t location : TopLocations(scores_r, locations)) {
      const auto row_x = scores_x.Row(location), row_r = scores_r.Row(location);
      classes_x.insert(classes_x.end(), row_x.begin(), row_x.end());
      classes_r.insert(classes_r.end(), row_r.begin(), row_r.end());
      best_x.push_back(std::ranges::max(row_x));
      best_r.push_back(std::ranges::max(row_r));
    }
  }
  const int64_t classes = reference[0].cls_logits.shape[1];
  return {.distances = MeasurePair(Flat(x), Flat(r)),
          .scores = MeasurePair(RowsOf(best_x, 1), RowsOf(best_r, 1)),
          .classes = MeasureRows(RowsOf(classes_x, classes), RowsOf(classes_r, classes))};
}

}  // namespace vernier
