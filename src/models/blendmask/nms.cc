#include "models/blendmask/nms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
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

// Boxes that come one after the other, best first, without sorting all: of thousands, a few hundred
// are looked at before enough stay.
class ByFallingScore {
 public:
  explicit ByFallingScore(std::span<const float> scores)
      : scores_(scores), worse_{scores}, heap_(scores.size()) {
    std::iota(heap_.begin(), heap_.end(), int64_t{0});
    std::ranges::make_heap(heap_, worse_);
  }

  bool empty() const { return heap_.empty(); }
  float score() const { return scores_[static_cast<size_t>(heap_.front())]; }

  int64_t Take() {
    std::ranges::pop_heap(heap_, worse_);
    const int64_t best = heap_.back();
    heap_.pop_back();
    return best;
  }

 private:
  struct Worse {
    std::span<const float> scores;

    bool operator()(int64_t a, int64_t b) const {
      const float of_a = scores[static_cast<size_t>(a)], of_b = scores[static_cast<size_t>(b)];
      return of_a != of_b ? of_a < of_b : a > b;
    }
  };

  std::span<const float> scores_;
  Worse worse_;
  std::vector<int64_t> heap_;
};

// Boxes that stay, a coordinate per array: loops over them vectorise.
class KeptBoxes {
 public:
  void Add(const BoxCorners& box) {
    left_.push_back(box[0]);
    top_.push_back(box[1]);
    right_.push_back(box[2]);
    bottom_.push_back(box[3]);
    area_.push_back(AreaOf(box));
  }

  bool Overlap(const BoxCorners& box, float threshold) const {
    for (size_t begin = 0; begin < area_.size(); begin += kPiece) {
      if (PieceOverlaps(begin, std::min(begin + kPiece, area_.size()), box, threshold)) return true;
    }
    return false;
  }

 private:
  static constexpr size_t kPiece = 64;  // long enough to vectorise, short enough to end early

  static float AreaOf(const BoxCorners& box) { return (box[2] - box[0]) * (box[3] - box[1]); }

  // Empty boxes divide 0 by 0, and NaN exceeds nothing.
  bool PieceOverlaps(size_t begin, size_t end, const BoxCorners& box, float threshold) const {
    const auto [l, t, r, b] = box;
    const float area = AreaOf(box);
    int32_t any = 0;
    for (size_t i = begin; i < end; ++i) {
      const float width = std::max(0.0F, std::min(r, right_[i]) - std::max(l, left_[i]));
      const float height = std::max(0.0F, std::min(b, bottom_[i]) - std::max(t, top_[i]));
      const float both = width * height;
      any |= static_cast<int32_t>(both / (area_[i] + area - both) > threshold);
    }
    return any != 0;
  }

  std::vector<float> left_, top_, right_, bottom_, area_;
};

BoxCorners Moved(BoxCorners box, float shift) {
  for (float& side : box) side += shift;
  return box;
}

// How far each class is moved from the one before.
float ShiftOfClasses(std::span<const BoxCorners> boxes) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const BoxCorners& box : boxes) largest = std::max(largest, std::ranges::max(box));
  return largest + 1.0F;
}

}  // namespace

std::vector<int64_t> SuppressOverlaps(const ScoredBoxes& boxes, double threshold, int64_t most) {
  const bool by_class = boxes.boxes.size() > kMostShifted;
  const float limit = FloatBelow(threshold);
  const float shift = by_class ? 0.0F : ShiftOfClasses(boxes.boxes);
  std::map<int32_t, KeptBoxes> kept_of_class;  // one for all where classes are moved apart
  std::vector<int64_t> kept;
  for (ByFallingScore left(boxes.scores); !left.empty();) {
    const auto enough = static_cast<size_t>(most);
    if (most > 0 && kept.size() >= enough &&
        left.score() < boxes.scores[static_cast<size_t>(kept[enough - 1])]) {
      break;
    }
    const auto i = static_cast<size_t>(left.Take());
    const int32_t category = boxes.classes[i];
    const BoxCorners box =
        by_class ? boxes.boxes[i] : Moved(boxes.boxes[i], static_cast<float>(category) * shift);
    KeptBoxes& others = kept_of_class[by_class ? category : 0];
    if (others.Overlap(box, limit)) continue;
    others.Add(box);
    kept.push_back(static_cast<int64_t>(i));
  }
  return kept;
}

}  // namespace vernier
