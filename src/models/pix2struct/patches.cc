#include "models/pix2struct/patches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"
#include "io/resize_taps.h"

namespace vernier {
namespace {

constexpr int64_t kColours = 3;

// The value of each of the 256 levels: (level - mean) / max(deviation, 1 / sqrt(n)) over all n
// numbers of the picture, whose histogram gives mean and deviation without rounding errors that
// grow with the picture. A picture of one colour is zero throughout.
std::array<float, 256> LevelValues(const Image& rgb, bool normalize) {
  std::array<float, 256> values;
  for (size_t level = 0; level < 256; ++level) values[level] = static_cast<float>(level);
  if (!normalize) return values;
  std::array<int64_t, 256> counts = {};
  const int64_t n = rgb.width * rgb.height * kColours;
  for (int64_t i = 0; i < n; ++i) ++counts[rgb.pixels.data()[i]];
  double sum = 0, squares = 0;
  for (size_t level = 0; level < 256; ++level) {
    sum += static_cast<double>(counts[level]) * static_cast<double>(level);
  }
  const double mean = sum / static_cast<double>(n);
  for (size_t level = 0; level < 256; ++level) {
    const double deviation = static_cast<double>(level) - mean;
    squares += static_cast<double>(counts[level]) * deviation * deviation;
  }
  const double deviation = std::sqrt(squares / static_cast<double>(n - 1));
  const double divisor = std::max(deviation, 1.0 / std::sqrt(static_cast<double>(n)));
  for (float& value : values) {
    value = static_cast<float>((static_cast<double>(value) - mean) / divisor);
  }
  return values;
}

// The triangle filter as torch computes it for floats: every step in single precision.
TapTable<float> TriangleTaps(int64_t from, int64_t to) {
  TapTable<float> table;
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  const float support = std::max(scale, 1.0f);
  for (int64_t i = 0; i < to; ++i) {
    const float centre = scale * (static_cast<float>(i) + 0.5f);
    const auto first = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5f), 0);
    const auto last = std::min<int64_t>(static_cast<int64_t>(centre + support + 0.5f), from);
    table.first.push_back(first);
    table.begin.push_back(static_cast<int64_t>(table.weights.size()));
    float total = 0;
    for (int64_t j = first; j < last; ++j) {
      const float distance = (static_cast<float>(j) - centre + 0.5f) / support;
      const float weight = std::max(0.0f, 1.0f - std::abs(distance));
      table.weights.push_back(weight);
      total += weight;
    }
    for (auto at = static_cast<size_t>(table.begin.back()); at < table.weights.size(); ++at) {
      table.weights[at] /= total;
    }
  }
  table.begin.push_back(static_cast<int64_t>(table.weights.size()));
  return table;
}

// Makes one row of patches after the other, each from the rows of the picture that it needs: the
// memory is a band's, whatever the picture's size.
class BandWriter {
 public:
  BandWriter(const Image& rgb, const PatchOptions& options)
      : rgb_(rgb),
        options_(options),
        width_(options.grid.columns * options.patch.width),
        values_(LevelValues(rgb, options.normalize)),
        across_(TriangleTaps(rgb.width, width_)),
        down_(TriangleTaps(rgb.height, options.grid.rows * options.patch.height)) {}

  /// The patches of row `band` of the grid; `out` is all rows of patches.
  void Write(int64_t band, std::span<float> out) const {
    const int64_t first_y = band * options_.patch.height;
    const int64_t last_y = first_y + options_.patch.height - 1;
    const int64_t first = down_.first[static_cast<size_t>(first_y)];
    const int64_t end =
        down_.first[static_cast<size_t>(last_y)] + static_cast<int64_t>(down_.taps(last_y).size());
    std::vector<float> rows(static_cast<size_t>((end - first) * row_numbers()));
    for (int64_t y = first; y < end; ++y) {
      ResizeRow(rgb_.row(y), rows.data() + (y - first) * row_numbers());
    }
    std::vector<float> line(static_cast<size_t>(row_numbers()));
    for (int64_t y = first_y; y <= last_y; ++y) {
      MixRows(y, rows.data() - first * row_numbers(), line);
      CutRow(y, line, out);
    }
  }

 private:
  int64_t row_numbers() const { return width_ * kColours; }

  void ResizeRow(const uint8_t* row, float* to) const {
    for (int64_t x = 0; x < width_; ++x, to += kColours) {
      const uint8_t* pixel = row + across_.first[static_cast<size_t>(x)] * kColours;
      float sums[kColours] = {};
      for (float weight : across_.taps(x)) {
        for (int64_t c = 0; c < kColours; ++c) sums[c] += weight * values_[pixel[c]];
        pixel += kColours;
      }
      std::copy_n(sums, kColours, to);
    }
  }

  // `rows` stands where row 0 of the picture would be.
  void MixRows(int64_t y, const float* rows, std::span<float> line) const {
    std::ranges::fill(line, 0.0f);
    const float* from = rows + down_.first[static_cast<size_t>(y)] * row_numbers();
    for (float weight : down_.taps(y)) {
      for (size_t i = 0; i < line.size(); ++i) line[i] += weight * from[i];
      from += line.size();
    }
  }

  void CutRow(int64_t y, std::span<const float> line, std::span<float> out) const {
    const PatchSize& patch = options_.patch;
    const int64_t run = patch.width * kColours;
    for (int64_t column = 0; column < options_.grid.columns; ++column) {
      const int64_t index = y / patch.height * options_.grid.columns + column;
      float* to = out.data() + index * patch.columns() + 2 + y % patch.height * run;
      std::copy_n(line.data() + column * run, run, to);
    }
  }

  const Image& rgb_;
  const PatchOptions& options_;
  int64_t width_;
  std::array<float, 256> values_;
  TapTable<float> across_, down_;
};

}  // namespace

PatchGrid GridOf(int64_t height, int64_t width, int64_t max_patches, const PatchSize& patch) {
  const auto p = static_cast<double>(max_patches);
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  const auto ph = static_cast<double>(patch.height), pw = static_cast<double>(patch.width);
  // In this order, and with pow: a root that is off by an ulp changes a grid now and then.
  const double scale = std::pow((p * (ph / h)) * (pw / w), 0.5);
  const auto count = [&](double size, double side) {
    return static_cast<int64_t>(std::max(std::min(std::trunc((scale * size) / side), p), 1.0));
  };
  return {count(h, ph), count(w, pw)};
}

void WritePatches(const Image& rgb, const PatchOptions& options, std::span<float> out) {
  const PatchSize& patch = options.patch;
  const PatchGrid& grid = options.grid;
  VN_CHECK(rgb.mode == ImageMode::kRGB);
  VN_CHECK(static_cast<int64_t>(out.size()) >= grid.patches() * patch.columns());
  const BandWriter writer(rgb, options);
  ParallelFor(options.threads, grid.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t band = begin; band < end; ++band) writer.Write(band, out);
  });
  for (int64_t i = 0; i < grid.patches(); ++i) {
    float* ids = out.data() + i * patch.columns();
    ids[0] = static_cast<float>(i / grid.columns + 1);
    ids[1] = static_cast<float>(i % grid.columns + 1);
  }
  std::fill(out.begin() + grid.patches() * patch.columns(), out.end(), 0.0f);
}

}  // namespace vernier
