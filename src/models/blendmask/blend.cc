#include "models/blendmask/blend.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"
#include "core/parallel.h"
#include "models/blendmask/exponential.h"

namespace vernier {
namespace {

// Where one output coordinate reads along one axis: two neighbours and the share of the second.
struct Tap {
  int64_t low = 0;
  int64_t high = 0;
  float share = 0;
  bool outside = false;  // more than a cell beyond the map: reads 0
};

Tap PoolTap(float position, int64_t size) {
  if (position < -1.0F || position > static_cast<float>(size)) return {.outside = true};
  position = std::max(position, 0.0F);
  const auto low = static_cast<int64_t>(position);
  if (low >= size - 1) return {.low = size - 1, .high = size - 1};
  return {.low = low, .high = low + 1, .share = position - static_cast<float>(low)};
}

// Samples of all bins along one axis, bin by bin.
std::vector<Tap> PoolTaps(float from, float to, int64_t size, const BlendMaskConfig& config) {
  const auto scale = static_cast<float>(config.pooler_scale);
  const int64_t bins = config.bottom_resolution, samples = config.pooler_samples;
  const float start = from * scale - (config.aligned_pooler ? 0.5F : 0.0F);
  float extent = (to - from) * scale;
  if (!config.aligned_pooler) extent = std::max(extent, 1.0F);
  const float bin = extent / static_cast<float>(bins);
  std::vector<Tap> taps;
  taps.reserve(static_cast<size_t>(bins * samples));
  for (int64_t k = 0; k < bins; ++k) {
    for (int64_t i = 0; i < samples; ++i) {
      const float within = (static_cast<float>(i) + 0.5F) * bin / static_cast<float>(samples);
      taps.push_back(PoolTap(start + static_cast<float>(k) * bin + within, size));
    }
  }
  return taps;
}

// Samples one map row by row. Rows of the map are sampled across once for all rows of samples that
// lie between them, which come in order.
class RowSampler {
 public:
  RowSampler(const float* map, int64_t width, std::span<const Tap> columns)
      : map_(map), width_(width), columns_(columns) {
    for (Across& across : kept_) across.values.resize(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].outside) outside_.push_back(i);
    }
  }

  void Sample(const Tap& row, float* out) {
    if (row.outside) {
      std::fill_n(out, columns_.size(), 0.0F);
      return;
    }
    const size_t low = Keep(row.low, -1), high = Keep(row.high, row.low);
    const float* __restrict__ above = kept_[low].values.data();
    const float* __restrict__ below = kept_[high].values.data();
    float* __restrict__ to = out;
    const float share = row.share;
    const size_t count = columns_.size();
    for (size_t i = 0; i < count; ++i) to[i] = above[i] * (1.0F - share) + below[i] * share;
    for (const size_t i : outside_) to[i] = 0.0F;
  }

 private:
  struct Across {
    int64_t row = -1;
    std::vector<float> values;
  };

  // Where the row is, sampled across; in the place of another row than `needed`.
  size_t Keep(int64_t row, int64_t needed) {
    for (size_t i = 0; i < 2; ++i) {
      if (kept_[i].row == row) return i;
    }
    const size_t at = kept_[0].row == needed && needed >= 0 ? 1 : 0;
    SampleAcross(row, kept_[at]);
    return at;
  }

  void SampleAcross(int64_t row, Across& across) const {
    across.row = row;
    const float* from = map_ + row * width_;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Tap& column = columns_[i];
      across.values[i] =
          from[column.low] * (1.0F - column.share) + from[column.high] * column.share;
    }
  }

  const float* map_;
  int64_t width_;
  std::span<const Tap> columns_;
  std::vector<size_t> outside_;
  std::array<Across, 2> kept_;
};

// The mean over `samples` by `samples` values for each bin of one row of bins.
void MeanOfBins(std::span<const float> rows, int64_t samples, std::span<float> out) {
  const int64_t width = std::ssize(out) * samples;
  const auto count = static_cast<float>(samples * samples);
  for (int64_t bin = 0; bin < std::ssize(out); ++bin) {
    float sum = 0;
    for (int64_t y = 0; y < samples; ++y) {
      for (int64_t x = 0; x < samples; ++x) {
        sum += rows[static_cast<size_t>(y * width + bin * samples + x)];
      }
    }
    out[static_cast<size_t>(bin)] = sum / count;
  }
}

// Half-pixel linear interpolation from `from` to `to` samples, or the nearest one.
std::vector<Tap> AttentionTaps(const BlendMaskConfig& config) {
  const int64_t from = config.attention_size, to = config.bottom_resolution;
  std::vector<Tap> taps;
  for (int64_t i = 0; i < to; ++i) {
    if (config.nearest_attention) {
      taps.push_back({.low = i * from / to, .high = i * from / to});
      continue;
    }
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double position = std::max(0.0, (static_cast<double>(i) + 0.5) * scale - 0.5);
    const int64_t low = std::min(static_cast<int64_t>(position), from - 1);
    taps.push_back({.low = low,
                    .high = std::min(low + 1, from - 1),
                    .share = static_cast<float>(position - static_cast<double>(low))});
  }
  return taps;
}

void ReplaceByExponentials(std::span<float> values, std::span<const float> less) {
  float* __restrict__ to = values.data();
  const float* __restrict__ from = less.data();
  const size_t count = values.size();
  for (size_t i = 0; i < count; ++i) to[i] = Exponential(to[i] - from[i]);
}

// Replaces [bases, pixels] of attention by its softmax over the bases, times the pooled bases,
// summed: one logit per pixel.
void MixBases(std::span<const float> pooled, std::span<float> attention, int64_t bases,
              std::span<float> logits) {
  const size_t pixels = logits.size();
  const auto each_base = [&](const auto& apply) {
    for (int64_t k = 0; k < bases; ++k) apply(attention.data() + k * std::ssize(logits), k);
  };
  std::vector<float> most(pixels, -INFINITY), total(pixels);
  each_base([&](const float* map, int64_t) {
    for (size_t i = 0; i < pixels; ++i) most[i] = std::max(most[i], map[i]);
  });
  each_base([&](float* map, int64_t) {
    ReplaceByExponentials({map, pixels}, most);
    for (size_t i = 0; i < pixels; ++i) total[i] += map[i];
  });
  std::ranges::fill(logits, 0.0F);
  each_base([&](const float* map, int64_t k) {
    const float* values = pooled.data() + k * std::ssize(logits);
    for (size_t i = 0; i < pixels; ++i) logits[i] += values[i] * (map[i] / total[i]);
  });
}

}  // namespace

std::vector<float> PoolBases(const BasisMaps& bases, const BoxCorners& box,
                             const BlendMaskConfig& config) {
  const int64_t bins = config.bottom_resolution, samples = config.pooler_samples;
  const std::vector<Tap> columns = PoolTaps(box[0], box[2], bases.width, config);
  const std::vector<Tap> rows = PoolTaps(box[1], box[3], bases.height, config);
  std::vector<float> pooled(static_cast<size_t>(config.bases * bins * bins));
  std::vector<float> sampled(static_cast<size_t>(samples * samples * bins));
  float* out = pooled.data();
  for (int64_t k = 0; k < config.bases; ++k) {
    RowSampler sampler(bases.values.data() + k * bases.height * bases.width, bases.width, columns);
    for (int64_t bin = 0; bin < bins; ++bin, out += bins) {
      for (int64_t y = 0; y < samples; ++y) {
        sampler.Sample(rows[static_cast<size_t>(bin * samples + y)],
                       samples == 1 ? out : sampled.data() + y * samples * bins);
      }
      if (samples > 1) MeanOfBins(sampled, samples, {out, static_cast<size_t>(bins)});
    }
  }
  return pooled;
}

std::vector<float> BlendMasks(const BasisMaps& bases, std::span<const BoxCorners> boxes,
                              std::span<const float> attention, const BlendMaskConfig& config,
                              int threads) {
  const int64_t count = std::ssize(boxes), side = config.attention_size;
  const int64_t bins = config.bottom_resolution;
  VN_CHECK(std::ssize(attention) == count * config.attention_channels());
  std::vector<float> logits(static_cast<size_t>(count * bins * bins));
  const std::vector<Tap> taps = AttentionTaps(config);
  ParallelFor(threads, count, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> resized(static_cast<size_t>(config.bases * bins * bins));
    for (int64_t i = begin; i < end; ++i) {
      const float* maps = attention.data() + i * config.attention_channels();
      for (int64_t k = 0; k < config.bases; ++k) {
        RowSampler sampler(maps + k * side * side, side, taps);
        for (int64_t row = 0; row < bins; ++row) {
          sampler.Sample(taps[static_cast<size_t>(row)], resized.data() + (k * bins + row) * bins);
        }
      }
      MixBases(PoolBases(bases, boxes[static_cast<size_t>(i)], config), resized, config.bases,
               {logits.data() + i * bins * bins, static_cast<size_t>(bins * bins)});
    }
  });
  return logits;
}

}  // namespace vernier
