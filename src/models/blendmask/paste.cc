#include "models/blendmask/paste.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/check.h"
#include "models/blendmask/exponential.h"

namespace vernier {
namespace {

constexpr float kForeground = 0.5F;

// Where pixel centres of one axis fall among the mask's values, whose first is at 0.
class MaskAxis {
 public:
  MaskAxis(float from, float to, int64_t resolution, int64_t pixels)
      : from_(from), to_(to), values_(static_cast<float>(resolution)) {
    // A pixel further out reads zeros only.
    begin = std::clamp<int64_t>(static_cast<int64_t>(std::floor(from)) - 1, 0, pixels);
    end = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(to)) + 1, begin, pixels);
  }

  float At(int64_t pixel) const {
    const float g = (static_cast<float>(pixel) + 0.5F - from_) / (to_ - from_) * 2.0F - 1.0F;
    return ((g + 1.0F) * values_ - 1.0F) / 2.0F;
  }

  int64_t begin, end;  // pixels that the mask can set

 private:
  float from_, to_, values_;
};

// Runs of one mask in COCO's order; pixels come as stretches of equal ones.
class RunWriter {
 public:
  explicit RunWriter(PictureSize picture) : mask_{picture.height, picture.width, {}} {}

  void Add(bool set, int64_t pixels) {
    if (pixels == 0) return;
    if (set != set_) {
      mask_.counts.push_back(run_);
      run_ = 0;
      set_ = set;
    }
    run_ += pixels;
  }

  RunLengths Take() {
    mask_.counts.push_back(run_);
    return std::move(mask_);
  }

 private:
  RunLengths mask_;
  bool set_ = false;
  int64_t run_ = 0;
};

// Zeros around the mask's values; two, so that a pixel next to the mask and one further out alike
// lie between two values.
constexpr int64_t kBorder = 2;

// Probabilities column by column, as masks are written: [resolution + borders, the same],
// transposed.
std::vector<float> BorderedColumns(std::span<const float> logits, int64_t resolution) {
  const int64_t side = resolution + 2 * kBorder;
  std::vector<float> columns(static_cast<size_t>(side * side));
  for (int64_t y = 0; y < resolution; ++y) {
    for (int64_t x = 0; x < resolution; ++x) {
      const float logit = logits[static_cast<size_t>(y * resolution + x)];
      columns[static_cast<size_t>((x + kBorder) * side + y + kBorder)] = Sigmoid(logit);
    }
  }
  return columns;
}

// Where a pixel lies among bordered values.
struct MaskPlace {
  int64_t cell;  // it is between this value and the next
  float share;   // of the next
  int64_t end;   // first pixel of the next cell

  MaskPlace(float position, int64_t resolution)
      : cell(static_cast<int64_t>(
                 std::clamp(std::floor(position), -2.0F, static_cast<float>(resolution))) +
             kBorder),
        share(position - std::floor(position)),
        end(0) {}
};

std::vector<MaskPlace> PlacesOf(const MaskAxis& axis, int64_t resolution) {
  std::vector<MaskPlace> places;
  for (int64_t i = axis.begin; i < axis.end; ++i) places.emplace_back(axis.At(i), resolution);
  for (int64_t i = std::ssize(places) - 1; i >= 0; --i) {
    const auto at = static_cast<size_t>(i);
    const bool last = at + 1 == places.size() || places[at + 1].cell != places[at].cell;
    places[at].end = last ? i + 1 : places[at + 1].end;
  }
  return places;
}

// One column of the picture within the mask's rows.
void AddColumn(std::span<const float> values, std::span<const MaskPlace> rows, RunWriter& runs) {
  for (int64_t y = 0; y < std::ssize(rows);) {
    const MaskPlace& row = rows[static_cast<size_t>(y)];
    const float upper = values[static_cast<size_t>(row.cell)];
    const float lower = values[static_cast<size_t>(row.cell + 1)];
    const bool set = upper >= kForeground;
    // Between two values on one side of the threshold all pixels lie on that side.
    if (set == (lower >= kForeground)) {
      runs.Add(set, row.end - y);
      y = row.end;
      continue;
    }
    // From one value to the next the sides change once.
    int64_t change = y;
    while (change < row.end) {
      const float share = rows[static_cast<size_t>(change)].share;
      if ((upper + share * (lower - upper) >= kForeground) != set) break;
      ++change;
    }
    runs.Add(set, change - y);
    runs.Add(!set, row.end - change);
    y = row.end;
  }
}

}  // namespace

std::optional<BoxCorners> BoxInPicture(const BoxCorners& box, PictureSize network,
                                       PictureSize picture) {
  const auto scaled = [](float side, int64_t from, int64_t to) {
    const auto factor = static_cast<float>(static_cast<double>(to) / static_cast<double>(from));
    return std::clamp(side * factor, 0.0F, static_cast<float>(to));
  };
  const BoxCorners inside = {
      scaled(box[0], network.width, picture.width), scaled(box[1], network.height, picture.height),
      scaled(box[2], network.width, picture.width), scaled(box[3], network.height, picture.height)};
  if (!(inside[2] > inside[0]) || !(inside[3] > inside[1])) return std::nullopt;
  return inside;
}

RunLengths PasteMask(std::span<const float> logits, int64_t resolution, const BoxCorners& box,
                     PictureSize picture) {
  VN_CHECK(std::ssize(logits) == resolution * resolution);
  const std::vector<float> bordered = BorderedColumns(logits, resolution);
  const int64_t side = resolution + 2 * kBorder;
  const MaskAxis across(box[0], box[2], resolution, picture.width);
  const MaskAxis down(box[1], box[3], resolution, picture.height);
  const std::vector<MaskPlace> columns = PlacesOf(across, resolution);
  const std::vector<MaskPlace> rows = PlacesOf(down, resolution);
  std::vector<float> values(static_cast<size_t>(side));
  RunWriter runs(picture);
  runs.Add(false, across.begin * picture.height);
  for (const MaskPlace& column : columns) {
    const float* left = bordered.data() + column.cell * side;
    const float* right = left + side;
    for (int64_t i = 0; i < side; ++i) {
      values[static_cast<size_t>(i)] = left[i] + column.share * (right[i] - left[i]);
    }
    runs.Add(false, down.begin);
    AddColumn(values, rows, runs);
    runs.Add(false, picture.height - down.end);
  }
  runs.Add(false, (picture.width - across.end) * picture.height);
  return runs.Take();
}

}  // namespace vernier
