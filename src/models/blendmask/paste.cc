#include "models/blendmask/paste.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "core/check.h"
#include "kernels/cpu/mask_rows.h"

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
std::vector<float> BorderedColumns(std::span<const float> logits, int64_t resolution,
                                   const MaskRowKernels& kernels) {
  const int64_t side = resolution + 2 * kBorder;
  std::vector<float> columns(static_cast<size_t>(side * side)), probabilities(logits.size());
  kernels.sigmoid(logits.data(), std::ssize(logits), probabilities.data());
  for (int64_t y = 0; y < resolution; ++y) {
    const float* from = probabilities.data() + y * resolution;
    float* to = columns.data() + kBorder * side + y + kBorder;
    for (int64_t x = 0; x < resolution; ++x) to[x * side] = from[x];
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

// A column of a mask's values between two columns of its probabilities.
struct ColumnBetween {
  const float* left;
  const float* right;
  float share;

  float operator[](size_t i) const { return left[i] + share * (right[i] - left[i]); }
};

// Turns one column of values into runs along the rows of a mask.
class ColumnWriter {
 public:
  ColumnWriter(const MaskCells& rows, const MaskRowKernels& kernels)
      : rows_(rows),
        kernels_(kernels),
        cells_(rows.first.size() - 2),
        foreground_((cells_ + kBits) / kBits) {}

  // Between two values on one side of the threshold all pixels lie on that side, and from one value
  // to the next the sides change once: cells of a change are all that is looked at.
  void Write(const ColumnBetween& values, RunWriter& runs) {
    kernels_.foreground({.count = static_cast<int64_t>(cells_) + 1,
                         .left = values.left,
                         .right = values.right,
                         .share = values.share,
                         .threshold = kForeground,
                         .bits = foreground_.data()});
    int64_t done = 0;
    bool set = (foreground_[0] & 1) != 0;
    for (size_t word = 0; word < foreground_.size(); ++word) {
      for (uint64_t changes = Changes(word); changes != 0; changes &= changes - 1) {
        const size_t cell = word * kBits + static_cast<size_t>(std::countr_zero(changes));
        const int64_t change = ChangeIn(cell, values);
        runs.Add(set, change - done);
        done = change;
        set = !set;
      }
    }
    runs.Add(set, std::ssize(rows_.places) - done);
  }

 private:
  static constexpr size_t kBits = 64;

  // Of the cells between this word's values and the next ones, those whose values lie on two sides.
  uint64_t Changes(size_t word) const {
    const uint64_t here = foreground_[word];
    const uint64_t after = word + 1 < foreground_.size() ? foreground_[word + 1] : 0;
    const uint64_t changes = here ^ (here >> 1 | after << (kBits - 1));
    const size_t cells = cells_ - word * kBits;  // the last value has none behind it
    return cells < kBits ? changes & ((uint64_t{1} << cells) - 1) : changes;
  }

  // The first pixel of the cell on the other side, or its end: guessed by the crossing, and then
  // found by what pixels' values are.
  int64_t ChangeIn(size_t cell, const ColumnBetween& values) const {
    const int64_t first = rows_.first[cell], end = rows_.first[cell + 1];
    if (first == end) return first;
    const float upper = values[cell], lower = values[cell + 1];
    const bool set = upper >= kForeground;
    const auto changed = [&](int64_t pixel) {
      const float share = rows_.places[static_cast<size_t>(pixel)].share;
      return (upper + share * (lower - upper) >= kForeground) != set;
    };
    const float crossing = (kForeground - upper) / (lower - upper);
    const float start = rows_.places[static_cast<size_t>(first)].share;
    const float guess = (crossing - start) * rows_.pixels_per_cell;
    const auto length = static_cast<float>(end - first);
    // The next pixel behind it; the first where it is not a number, of a mask that is none.
    const float pixels = guess > 0.0F ? std::min(guess + 1.0F, length) : 0.0F;
    int64_t change = first + static_cast<int64_t>(pixels);
    while (change < end && !changed(change)) ++change;
    while (change > first && changed(change - 1)) --change;
    return change;
  }

  const MaskCells& rows_;
  const MaskRowKernels& kernels_;
  size_t cells_;
  std::vector<uint64_t> foreground_;  // one bit for each value of the column
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
  const MaskRowKernels& kernels = SelectMaskRows(Cpu().best());
  const std::vector<float> bordered = BorderedColumns(logits, resolution, kernels);
  const int64_t side = resolution + 2 * kBorder;
  const MaskAxis across(box[0], box[2], resolution, picture.width);
  const MaskAxis down(box[1], box[3], resolution, picture.height);
  const std::vector<MaskPlace> columns = PlacesOf(across, resolution);
  const MaskCells rows(down, resolution);
  ColumnWriter writer(rows, kernels);
  RunWriter runs(picture);
  runs.Add(false, across.begin * picture.height);
  for (const MaskPlace& column : columns) {
    const float* left = bordered.data() + column.cell * side;
    runs.Add(false, down.begin);
    writer.Write({left, left + side, column.share}, runs);
    runs.Add(false, picture.height - down.end);
  }
  runs.Add(false, (picture.width - across.end) * picture.height);
  return runs.Take();
}

}  // namespace vernier
