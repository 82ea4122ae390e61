#include "models/blendmask/nms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace vernier {
namespace {

// torchvision: beyond 4000 coordinates on a CPU it goes class by class.
constexpr size_t kMostShifted = 1000;

// The largest float that is not above `value`: comparing floats with it is comparing them with
// `value` in double.
float FloatBelow(double value) {
  const auto nearest = static_cast<float>(value);
  return static_cast<double>(nearest) <= value
             ? nearest
             : std::nextafter(nearest, -std::numeric_limits<float>::infinity());
}

std::vector<int64_t> ByFallingScore(std::vector<int64_t> order, std::span<const float> scores) {
  std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
    return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)];
  });
  return order;
}

// Candidates one after the other, best first, a coordinate per array: loops over them vectorise.
struct BoxColumns {
  std::vector<float> left, top, right, bottom, area;
  std::vector<uint8_t> gone;

  explicit BoxColumns(size_t count) : gone(count) {
    for (auto* column : {&left, &top, &right, &bottom, &area}) column->reserve(count);
  }

  void Add(const BoxCorners& box, float shift) {
    left.push_back(box[0] + shift);
    top.push_back(box[1] + shift);
    right.push_back(box[2] + shift);
    bottom.push_back(box[3] + shift);
    area.push_back((right.back() - left.back()) * (bottom.back() - top.back()));
  }

  // Empty boxes divide 0 by 0, and NaN exceeds nothing.
  void SuppressAfter(size_t best, float threshold) {
    const float l = left[best], t = top[best], r = right[best], b = bottom[best], a = area[best];
    for (size_t j = best + 1; j < gone.size(); ++j) {
      const float width = std::max(0.0F, std::min(r, right[j]) - std::max(l, left[j]));
      const float height = std::max(0.0F, std::min(b, bottom[j]) - std::max(t, top[j]));
      const float both = width * height;
      gone[j] |= static_cast<uint8_t>(both / (a + area[j] - both) > threshold);
    }
  }
};

// Of `candidates`, best first, those that stay.
std::vector<int64_t> Suppress(std::span<const int64_t> candidates, BoxColumns columns,
                              float threshold) {
  std::vector<int64_t> kept;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (columns.gone[i] != 0) continue;
    kept.push_back(candidates[i]);
    columns.SuppressAfter(i, threshold);
  }
  return kept;
}

std::vector<int64_t> SuppressShifted(const ScoredBoxes& boxes, std::span<const int64_t> by_score,
                                     float threshold) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const BoxCorners& box : boxes.boxes) largest = std::max(largest, std::ranges::max(box));
  BoxColumns columns(by_score.size());
  for (const int64_t i : by_score) {
    const auto at = static_cast<size_t>(i);
    columns.Add(boxes.boxes[at], static_cast<float>(boxes.classes[at]) * (largest + 1.0F));
  }
  return Suppress(by_score, std::move(columns), threshold);
}

std::vector<int64_t> SuppressByClass(const ScoredBoxes& boxes, std::vector<int64_t> by_score,
                                     float threshold) {
  const auto class_of = [&](int64_t i) { return boxes.classes[static_cast<size_t>(i)]; };
  std::ranges::stable_sort(by_score, {}, class_of);
  std::vector<int64_t> kept;
  for (auto begin = by_score.begin(); begin != by_score.end();) {
    const auto end = std::find_if(begin, by_score.end(),
                                  [&](int64_t i) { return class_of(i) != class_of(*begin); });
    BoxColumns columns(static_cast<size_t>(end - begin));
    for (auto at = begin; at != end; ++at) {
      columns.Add(boxes.boxes[static_cast<size_t>(*at)], 0.0F);
    }
    const std::vector<int64_t> of_class = Suppress({begin, end}, std::move(columns), threshold);
    kept.insert(kept.end(), of_class.begin(), of_class.end());
    begin = end;
  }
  std::ranges::sort(kept);
  return ByFallingScore(std::move(kept), boxes.scores);
}

}  // namespace

std::vector<int64_t> SuppressOverlaps(const ScoredBoxes& boxes, double threshold) {
  std::vector<int64_t> order(boxes.boxes.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  order = ByFallingScore(std::move(order), boxes.scores);
  const float limit = FloatBelow(threshold);
  if (order.size() <= kMostShifted) return SuppressShifted(boxes, order, limit);
  return SuppressByClass(boxes, std::move(order), limit);
}

}  // namespace vernier
