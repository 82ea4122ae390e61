#include "backends/cpu/winograd_conv.h"

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"
#include "core/rounding.h"
#include "kernels/cpu/winograd_filters.h"

namespace vernier {
namespace {

constexpr int64_t kLineFloats = 16;  // of a cache line

// Weights that stay in a third-level cache beside the maps pass every block of tiles, whose values
// and sums take half of the second-level cache of 1 MB that server cores have at least.
constexpr int64_t kCachedWeights = 4 * 1024 * 1024;
constexpr int64_t kBlockBytes = 512 * 1024;
constexpr int64_t kLeastTiles = 12, kMostTiles = 192;
// Others come from memory, so that more tiles share a pass of them: with 102 BlendMask's R-50 takes
// 442 to 463 ms, with 54 445 to 488, with 12 486 to 531 (640x640, f32, Zen 4, two threads).
constexpr int64_t kTilesOfStream = 102;
// With fewer tiles for each thread the panels are dealt instead, every thread transforming all
// tiles.
constexpr int64_t kTilesOfThread = 24;

size_t Aligned(int64_t bytes) { return static_cast<size_t>(RoundUp(bytes, 4096)); }

int64_t TilesOf(const WinogradDesc& desc) {
  const int64_t side = WinogradOutputSide(desc.weights.form);
  return desc.batch * CeilDiv(desc.height, side) * CeilDiv(desc.width, side);
}

}  // namespace

WinogradLayout WinogradLayoutFor(Isa isa, WinogradForm form, DType product, int64_t out_channels,
                                 int64_t in_channels) {
  return {.form = form, .point = PackedLayoutFor(isa, product, out_channels, in_channels)};
}

void PackWinograd(const WinogradLayout& layout, const float* filters, void* packed, int threads) {
  constexpr int64_t kTaps = 9;
  const PackedLayout& point = layout.point;
  ParallelFor(threads, point.panels(), 1, [&](int64_t begin, int64_t end) {
    std::vector<double> values(
        static_cast<size_t>(layout.points() * point.panel_columns * point.k));
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t first = panel * point.panel_columns;
      PackedLayout one = point;
      one.n = std::min(point.panel_columns, point.n - first);
      TransformFilters(layout.form, {.filters = filters + first * point.k * kTaps,
                                     .out = one.n,
                                     .in = point.k,
                                     .values = values.data()});
      for (int64_t i = 0; i < layout.points(); ++i) {
        const auto place = static_cast<size_t>(panel * layout.points() + i);
        char* to = static_cast<char*>(packed) + place * one.panel_bytes();
        const PackSource source{.data = values.data() + i * one.n * one.k,
                                .dtype = DType::kF64,
                                .n = one.n,
                                .row_stride = one.k};
        PackPanel(one, 0, source, 0, to);
        PadPanel(one, 0, to);
      }
    }
  });
}

WinogradConv::WinogradConv(const WinogradDesc& desc)
    : desc_(desc),
      kernel_(SelectGemm(desc.isa, desc.weights.point.dtype, desc.weights.point.dtype)),
      transforms_(&SelectWinograd(desc.isa, desc.weights.form)),
      tiles_(TilesOf(desc)) {
  const PackedLayout& point = desc_.weights.point;
  VN_CHECK(kernel_.panel_columns == point.panel_columns, "weights packed for another Isa");
  const int64_t tile_bytes =
      desc_.weights.points() * (point.k * static_cast<int64_t>(ByteSize(point.dtype)) +
                                point.panel_columns * static_cast<int64_t>(sizeof(float)));
  if (tiles_ < desc_.threads * kTilesOfThread) {
    panel_groups_ = std::min<int64_t>(desc_.threads, point.panels());
  }
  const int64_t share = CeilDiv(tiles_, panel_groups_ == 1 ? desc_.threads : 1);
  const bool cached = static_cast<int64_t>(desc_.weights.bytes()) <= kCachedWeights;
  const int64_t most =
      cached ? std::clamp(kBlockBytes / tile_bytes, kLeastTiles, kMostTiles) : kTilesOfStream;
  const int64_t blocks = std::max<int64_t>(1, CeilDiv(share, most));
  block_tiles_ = RoundUp(std::max<int64_t>(1, CeilDiv(share, blocks)), kernel_.tile_rows);
  tile_blocks_ = CeilDiv(tiles_, block_tiles_);
}

int64_t WinogradConv::value_stride() const { return RoundUp(desc_.weights.point.k, 2); }

// A line beside the tiles keeps the points from falling into one set of the first-level cache.
size_t WinogradConv::values_bytes() const {
  const int64_t values = desc_.weights.points() * (block_tiles_ * value_stride() + 2 * kLineFloats);
  return Aligned(values * static_cast<int64_t>(ByteSize(desc_.weights.point.dtype)));
}

size_t WinogradConv::sums_bytes() const {
  const int64_t sums =
      desc_.weights.points() * (block_tiles_ * kernel_.panel_columns + kLineFloats);
  return Aligned(sums * static_cast<int64_t>(sizeof(float)));
}

size_t WinogradConv::scratch_bytes() const {
  return static_cast<size_t>(desc_.threads) * (values_bytes() + sums_bytes());
}

void WinogradConv::Run(const WinogradOperands& operands) const {
  const int64_t units = tile_blocks_ * panel_groups_;
  const int64_t panels = desc_.weights.point.panels();
  ParallelFor(desc_.threads, desc_.threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      char* scratch = static_cast<char*>(operands.scratch) +
                      static_cast<size_t>(slot) * (values_bytes() + sums_bytes());
      const int64_t last = units * (slot + 1) / desc_.threads;
      for (int64_t unit = units * slot / desc_.threads; unit < last; ++unit) {
        const int64_t group = unit / tile_blocks_, first = unit % tile_blocks_ * block_tiles_;
        RunBlock(operands,
                 {.tiles = {.height = desc_.height,
                            .width = desc_.width,
                            .first = first,
                            .count = std::min(block_tiles_, tiles_ - first)},
                  .panel_begin = panels * group / panel_groups_,
                  .panel_end = panels * (group + 1) / panel_groups_},
                 scratch);
      }
    }
  });
}

void WinogradConv::RunBlock(const WinogradOperands& operands, const Block& block,
                            char* scratch) const noexcept {
  const PackedLayout& point = desc_.weights.point;
  transforms_->input({.tiles = block.tiles,
                      .map = operands.x,
                      .element = desc_.x,
                      .pixel_stride = desc_.x_stride,
                      .channels = point.k,
                      .values = scratch,
                      .value_element = point.dtype == DType::kBF16 ? Element::kBf16 : Element::kF32,
                      .point_stride = block_tiles_ * value_stride() + 2 * kLineFloats,
                      .tile_stride = value_stride()});
  auto* sums = reinterpret_cast<float*>(scratch + values_bytes());
  for (int64_t panel = block.panel_begin; panel < block.panel_end; ++panel) {
    Multiply(operands, block, panel, scratch, sums);
    const int64_t channel = panel * point.panel_columns;
    const auto from_channel = [channel](const void* map, Element element) {
      return static_cast<const char*>(map) + channel * ElementBytes(element);
    };
    const bool added = operands.residual != nullptr;
    transforms_->output(
        {.tiles = block.tiles,
         .sums = sums,
         .point_stride = block_tiles_ * point.panel_columns + kLineFloats,
         .tile_stride = point.panel_columns,
         .channels = std::min(point.panel_columns, point.n - channel),
         .bias = operands.bias == nullptr ? nullptr : operands.bias + channel,
         .residual = added ? from_channel(operands.residual, desc_.residual) : nullptr,
         .residual_element = desc_.residual,
         .residual_stride = desc_.residual_stride,
         .relu = desc_.relu,
         .map = const_cast<char*>(from_channel(operands.y, desc_.y)),
         .element = desc_.y,
         .pixel_stride = desc_.y_stride});
  }
}

// Each point's product, its sums left for the transform; meanwhile the next point's weights come.
void WinogradConv::Multiply(const WinogradOperands& operands, const Block& block, int64_t panel,
                            const char* values, float* sums) const noexcept {
  const PackedLayout& point = desc_.weights.point;
  const auto element_bytes = static_cast<int64_t>(ByteSize(point.dtype));
  const auto panel_bytes = static_cast<int64_t>(point.panel_bytes());
  const int64_t points = desc_.weights.points(), all = point.panels() * points;
  for (int64_t i = 0; i < points; ++i) {
    const int64_t place = panel * points + i;
    const char* weights = static_cast<const char*>(operands.weights) + place * panel_bytes;
    const bool last = place + 1 == all;
    kernel_.multiply(
        {.rows = block.tiles.count,
         .k = point.k,
         .a = values + i * (block_tiles_ * value_stride() + 2 * kLineFloats) * element_bytes,
         .a_stride = value_stride(),
         .b = weights,
         .sums = sums + i * (block_tiles_ * point.panel_columns + kLineFloats),
         .columns = std::min(point.panel_columns, point.n - panel * point.panel_columns),
         .next = last ? nullptr : weights + panel_bytes,
         .next_bytes = last ? 0 : panel_bytes,
         .next_rows = i + 1 < points ? block.tiles.count : 0});
  }
}

}  // namespace vernier
