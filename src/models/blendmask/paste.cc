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

  float PixelsPerValue() const { return (to_ - from_) / values_; }

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

// Where a pixel lies among bordered values: between this one and the next.
struct MaskPlace {
  int64_t cell;
  float share;  // of the next

  MaskPlace(float position, int64_t resolution)
      : cell(static_cast<int64_t>(
                 std::clamp(std::floor(position), -2.0F, static_cast<float>(resolution))) +
             kBorder),
        share(position - std::floor(position)) {}
};

std::vector<MaskPlace> PlacesOf(const MaskAxis& axis, int64_t resolution) {
  std::vector<MaskPlace> places;
  places.reserve(static_cast<size_t>(axis.end - axis.begin));
  for (int64_t i = axis.begin; i < axis.end; ++i) places.emplace_back(axis.At(i), resolution);
  return places;
}

// The pixels of one axis, cell by cell.
struct MaskCells {
  std::vector<MaskPlace> places;
  std::vector<int64_t> first;  // by cell, and one more: the first pixel in it or behind it
  float pixels_per_cell;

  MaskCells(const MaskAxis& axis, int64_t resolution)
      : places(PlacesOf(axis, resolution)),
        first(static_cast<size_t>(resolution + 2 * kBorder) + 1, std::ssize(places)),
        pixels_per_cell(axis.PixelsPerValue()) {
    for (int64_t i = std::ssize(places) - 1; i >= 0; --i) {
      first[static_cast<size_t>(places[static_cast<size_t>(i)].cell)] = i;
    }
    for (size_t cell = first.size() - 1; cell-- > 0;) {
      first[cell] = std::min(first[cell], first[cell + 1]);
    }
  }
};

// Turns one column of values into runs along the rows of a mask.
class ColumnWriter {
 public:
  explicit ColumnWriter(const MaskCells& rows)
      : rows_(rows), cells_(rows.first.size() - 2), crossings_(cells_), changing_(cells_) {}

  // Between two values on one side of the threshold all pixels lie on that side, and from one value
  // to the next the sides change once: cells of a change are all that is looked at.
  void Write(std::span<const float> values, RunWriter& runs) {
    const size_t count = FindChanges(values);
    int64_t done = 0;
    bool set = values[0] >= kForeground;
    for (size_t i = 0; i < count; ++i) {
      const int64_t change = ChangeIn(changing_[i], values);
      runs.Add(set, change - done);
      done = change;
      set = !set;
    }
    runs.Add(set, std::ssize(rows_.places) - done);
  }

 private:
  // In loops without branches, whose outcome nobody could predict. The number of cells that change.
  size_t FindChanges(std::span<const float> values) {
    const float* __restrict__ from = values.data();
    float* __restrict__ crossings = crossings_.data();
    for (size_t i = 0; i < cells_; ++i) {
      crossings[i] = (kForeground - from[i]) / (from[i + 1] - from[i]);
    }
    size_t count = 0;
    for (size_t i = 0; i < cells_; ++i) {
      changing_[count] = i;
      count += static_cast<size_t>((from[i] >= kForeground) != (from[i + 1] >= kForeground));
    }
    return count;
  }

  // The first pixel of the cell on the other side, or its end: guessed by the crossing, and then
  // found by what pixels' values are.
  int64_t ChangeIn(size_t cell, std::span<const float> values) const {
    const int64_t first = rows_.first[cell], end = rows_.first[cell + 1];
    if (first == end) return first;
    const float upper = values[cell], lower = values[cell + 1];
    const bool set = upper >= kForeground;
    const auto changed = [&](int64_t pixel) {
      const float share = rows_.places[static_cast<size_t>(pixel)].share;
      return (upper + share * (lower - upper) >= kForeground) != set;
    };
    const float start = rows_.places[static_cast<size_t>(first)].share;
    const float guess = (crossings_[cell] - start) * rows_.pixels_per_cell;
    const auto length = static_cast<float>(end - first);
    // The next pixel behind it; the first where it is not a number, of a mask that is none.
    const float pixels = guess > 0.0F ? std::min(guess + 1.0F, length) : 0.0F;
    int64_t change = first + static_cast<int64_t>(pixels);
    while (change < end && !changed(change)) ++change;
    while (change > first && changed(change - 1)) --change;
    return change;
  }

  const MaskCells& rows_;
  size_t cells_;
  std::vector<float> crossings_;  // by cell: the share at which the threshold lies
  std::vector<size_t> changing_;  // the cells whose values lie on two sides
};

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
  const MaskCells rows(down, resolution);
  ColumnWriter writer(rows);
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
    writer.Write(values, runs);
    runs.Add(false, picture.height - down.end);
  }
  runs.Add(false, (picture.width - across.end) * picture.height);
  return runs.Take();
}

}  // namespace vernier
