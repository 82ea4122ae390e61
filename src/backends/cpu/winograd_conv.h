// 3x3 convolutions of stride 1 and padding 1 over channels-last maps by Winograd's form
// (kernels/cpu/winograd.h): a block of tiles is transformed, multiplied at every point with one
// panel of packed weights after the other, and transformed back into the map with bias, residual
// and ReLU. A WinogradConv is bound to extents, types and threads once, then runs on any operands
// of that kind; it owns no memory, is immutable, and may run in several threads at once, each with
// its own scratch. A pixel's bits do not depend on the number of threads or on the batch.
// Bound: the products' multiply-adds, 4 (F(4x4)) and 2.25 (F(2x2)) times fewer than the direct
// sum's. One Zen 4 core, 256 to 256 channels on 80x80: 365 GFLOP/s of the direct sum's operations
// in f32 and 429 in bf16, 78 and 81 % of 4 and 2.25 times the peaks that kernels/cpu/gemm.h states
// (winograd_bench.cc). The rest goes to the transforms and to weights from the third-level cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu_features.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/winograd.h"
#include "vernier/tensor.h"

namespace vernier {

/// Packed filters: panels of output channels, in each every point's panel one after the other.
struct WinogradLayout {
  WinogradForm form = WinogradForm::kF4;
  PackedLayout point;  // of one point: n output and k input channels, the products' type

  int64_t points() const { return WinogradPoints(form); }
  size_t bytes() const { return static_cast<size_t>(points()) * point.bytes(); }
};

WinogradLayout WinogradLayoutFor(Isa isa, WinogradForm form, DType product, int64_t out_channels,
                                 int64_t in_channels);

/// Transforms and packs `filters` [out][in][3][3] into WinogradLayout::bytes() of memory, aligned
/// to 64 bytes.
void PackWinograd(const WinogradLayout& layout, const float* filters, void* packed, int threads);

struct WinogradDesc {
  WinogradLayout weights;
  int64_t batch = 0, height = 0, width = 0;
  Element x = Element::kF32;
  int64_t x_stride = 0;  // elements from pixel to pixel
  Element y = Element::kF32;
  int64_t y_stride = 0;
  Element residual = Element::kF32;
  int64_t residual_stride = 0;
  bool relu = false;
  Isa isa = Isa::kScalar;  // the weights must be packed for it
  int threads = 1;
};

struct WinogradOperands {
  const void* x = nullptr;
  const void* weights = nullptr;   // packed
  const float* bias = nullptr;     // null: none
  const void* residual = nullptr;  // null: none; may be y
  void* y = nullptr;
  void* scratch = nullptr;  // WinogradConv::scratch_bytes(), 64-byte aligned
};

class WinogradConv {
 public:
  explicit WinogradConv(const WinogradDesc& desc);

  size_t scratch_bytes() const;
  void Run(const WinogradOperands& operands) const;
  /// The instruction set of the products.
  Isa isa() const { return kernel_.isa; }

 private:
  // What one thread does at a time.
  struct Block {
    WinogradTiles tiles;
    int64_t panel_begin, panel_end;
  };
  size_t values_bytes() const;  // of one thread
  size_t sums_bytes() const;    // of one thread
  int64_t value_stride() const;
  void RunBlock(const WinogradOperands& operands, const Block& block, char* scratch) const noexcept;
  void Multiply(const WinogradOperands& operands, const Block& block, int64_t panel,
                const char* values, float* sums) const noexcept;

  WinogradDesc desc_;
  GemmKernel kernel_;
  const WinogradTransforms* transforms_;
  int64_t block_tiles_ = 1;   // at most, in one block
  int64_t tile_blocks_ = 0;   // the work is a grid of blocks of tiles …
  int64_t panel_groups_ = 1;  // … by groups of panels, dealt to the threads in equal runs
  int64_t tiles_ = 0;
};

}  // namespace vernier
