#include "models/blendmask/blend.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"

namespace vernier {
namespace {

SampleTap Between(int32_t low, int32_t high, float share) {
  return {.low = low, .high = high, .low_weight = 1.0F - share, .high_weight = share};
}

SampleTap PoolTap(float position, int64_t size) {
  if (position < -1.0F || position > static_cast<float>(size)) return {};
  position = std::max(position, 0.0F);
  const auto low = static_cast<int32_t>(position);
  const auto last = static_cast<int32_t>(size - 1);
  if (low >= last) return {.low = last, .high = last, .low_weight = 1.0F};
  return Between(low, low + 1, position - static_cast<float>(low));
}

// Samples of all bins along one axis, bin by bin.
std::vector<SampleTap> PoolTaps(float from, float to, int64_t size, const BlendMaskConfig& config) {
  const auto scale = static_cast<float>(config.pooler_scale);
  const int64_t bins = config.bottom_resolution, samples = config.pooler_samples;
  const float start = from * scale - (config.aligned_pooler ? 0.5F : 0.0F);
  float extent = (to - from) * scale;
  if (!config.aligned_pooler) extent = std::max(extent, 1.0F);
  const float bin = extent / static_cast<float>(bins);
  std::vector<SampleTap> taps;
  taps.reserve(static_cast<size_t>(bins * samples));
  for (int64_t k = 0; k < bins; ++k) {
    for (int64_t i = 0; i < samples; ++i) {
      const float within = (static_cast<float>(i) + 0.5F) * bin / static_cast<float>(samples);
      taps.push_back(PoolTap(start + static_cast<float>(k) * bin + within, size));
    }
  }
  return taps;
}

// Rows of samples of all maps, one after the other from the top. A row of the maps is sampled
// across once for all rows of samples beside it.
class SampledRows {
 public:
  // `columns` must outlive it.
  SampledRows(const BasisMaps& maps, int64_t bases, std::span<const SampleTap> columns)
      : maps_(maps), bases_(bases), columns_(columns) {
    for (Across& across : kept_) across.values.resize(static_cast<size_t>(bases) * columns.size());
  }

  // What it points at is valid until the next call.
  RowBetween At(const SampleTap& row) {
    if (row.outside()) {
      nothing_.resize(static_cast<size_t>(bases_) * columns_.size());
      return {nothing_.data(), nothing_.data()};
    }
    const size_t low = Keep(row.low, -1), high = Keep(row.high, row.low);
    return {kept_[low].values.data(), kept_[high].values.data(), row.high_weight};
  }

 private:
  struct Across {
    int64_t row = -1;
    std::vector<float> values;  // [bases, columns]
  };

  // Where the row is, sampled across; in the place of another row than `needed`.
  size_t Keep(int64_t row, int64_t needed) {
    for (size_t i = 0; i < kept_.size(); ++i) {
      if (kept_[i].row == row) return i;
    }
    const size_t at = kept_[0].row == needed && needed >= 0 ? 1 : 0;
    SampleAcross(row, kept_[at]);
    return at;
  }

  void SampleAcross(int64_t row, Across& across) const {
    across.row = row;
    float* to = across.values.data();
    for (int64_t k = 0; k < bases_; ++k) {
      const float* from = maps_.values.data() + (k * maps_.height + row) * maps_.width;
      for (const SampleTap& column : columns_) {
        *to++ = from[column.low] * column.low_weight + from[column.high] * column.high_weight;
      }
    }
  }

  BasisMaps maps_;
  int64_t bases_;
  std::span<const SampleTap> columns_;
  std::array<Across, 2> kept_;
  std::vector<float> nothing_;
};

// Bins of the bases, row by row from the top: samples, or the mean of several for each bin.
class PooledRows {
 public:
  PooledRows(const BasisMaps& maps, const BoxCorners& box, const BlendMaskConfig& config)
      : samples_(config.pooler_samples),
        columns_(PoolTaps(box[0], box[2], maps.width, config)),
        rows_(PoolTaps(box[1], box[3], maps.height, config)),
        sampled_(maps, config.bases, columns_),
        means_(samples_ == 1 ? 0 : static_cast<size_t>(config.bases * config.bottom_resolution)) {}

  RowBetween At(int64_t bin) {
    if (samples_ == 1) return sampled_.At(rows_[static_cast<size_t>(bin)]);
    std::ranges::fill(means_, 0.0F);
    for (int64_t y = 0; y < samples_; ++y) {
      AddSums(sampled_.At(rows_[static_cast<size_t>(bin * samples_ + y)]));
    }
    for (float& mean : means_) mean /= static_cast<float>(samples_ * samples_);
    return {means_.data(), means_.data()};
  }

 private:
  void AddSums(const RowBetween& row) {
    for (int64_t i = 0; i < std::ssize(means_) * samples_; ++i) {
      means_[static_cast<size_t>(i / samples_)] +=
          row.above[i] * (1.0F - row.share) + row.below[i] * row.share;
    }
  }

  int64_t samples_;
  std::vector<SampleTap> columns_, rows_;
  SampledRows sampled_;
  std::vector<float> means_;  // [bases, bins]
};

// Half-pixel linear interpolation from `from` to `to` samples, or the nearest one.
std::vector<SampleTap> AttentionTaps(const BlendMaskConfig& config) {
  const int64_t from = config.attention_size, to = config.bottom_resolution;
  std::vector<SampleTap> taps;
  for (int64_t i = 0; i < to; ++i) {
    if (config.nearest_attention) {
      const auto nearest = static_cast<int32_t>(i * from / to);
      taps.push_back(Between(nearest, nearest, 0.0F));
      continue;
    }
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double position = std::max(0.0, (static_cast<double>(i) + 0.5) * scale - 0.5);
    const auto last = static_cast<int32_t>(from - 1);
    const int32_t low = std::min(static_cast<int32_t>(position), last);
    taps.push_back(Between(low, std::min(low + 1, last),
                           static_cast<float>(position - static_cast<double>(low))));
  }
  return taps;
}

}  // namespace

MaskBlender::MaskBlender(const BasisMaps& bases, const BlendMaskConfig& config)
    : bases_(bases),
      config_(config),
      attention_taps_(AttentionTaps(config)),
      kernels_(SelectMaskRows(Cpu().best())) {
  VN_CHECK(std::ssize(bases.values) == config.bases * bases.height * bases.width);
}

std::vector<float> MaskBlender::Blend(const BoxCorners& box,
                                      std::span<const float> attention) const {
  VN_CHECK(std::ssize(attention) == config_.attention_channels());
  const int64_t bins = config_.bottom_resolution, side = config_.attention_size;
  std::vector<float> logits(static_cast<size_t>(bins * bins));
  PooledRows pooled(bases_, box, config_);
  SampledRows weights({side, side, attention}, config_.bases, attention_taps_);
  for (int64_t row = 0; row < bins; ++row) {
    kernels_.blend({.bases = config_.bases,
                    .count = bins,
                    .pooled = pooled.At(row),
                    .attention = weights.At(attention_taps_[static_cast<size_t>(row)]),
                    .out = logits.data() + row * bins});
  }
  return logits;
}

}  // namespace vernier
