// Packed matrix multiplication of bf16 by bf16, AMX-TILE and AMX-BF16. Wide panels in pairs of k
// (pack.h): a tile of weights is 16 pairs of k by 16 columns, as it lies in the panel. Two tiles of
// activations (16 rows each) meet two of weights, so that four of sums fill the eight registers
// with 4 products for 4 loads. Bound: one tdpbf16ps per 16 cycles (not measured yet).
// The process must have been granted tile registers (core/cpu_features.cc).
#include <immintrin.h>

#include "kernels/cpu/tiles_amx.h"

namespace vernier::amx {
namespace {

constexpr int64_t kTileDepth = 32;  // bf16 in a row of a tile

struct DotOfBf16 {
  static void AddUpper() {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
  }
  static void AddLower() {
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
};

// Half a panel for up to 32 rows; `tail` holds the last, padded step of k when k has one.
template <bool kLower>
void HalfPanel(const GemmMultiply& g, TileRows a, TileRows tail, const char* weights, float* sums) {
  if (g.accumulate) {
    float* lower = sums + kTileRows * kWidePanelColumns;
    _tile_loadd(0, sums, kPanelRowBytes);
    _tile_loadd(1, sums + kTileColumns, kPanelRowBytes);
    if constexpr (kLower) _tile_loadd(2, lower, kPanelRowBytes);
    if constexpr (kLower) _tile_loadd(3, lower + kTileColumns, kPanelRowBytes);
  } else {
    ZeroSums<kLower>();
  }
  const int64_t whole = g.k / kTileDepth;
  for (int64_t step = 0; step < whole; ++step) {
    AddProducts<DotOfBf16, kLower>(
        {static_cast<const char*>(a.first) + step * kTileBytes, a.stride},
        weights + step * kTileDepth / 2 * kPanelRowBytes);
  }
  if (g.k % kTileDepth != 0) {
    AddProducts<DotOfBf16, kLower>(tail, weights + whole * kTileDepth / 2 * kPanelRowBytes);
  }
  StoreSums<kLower>(sums);
}

void Block(const GemmMultiply& g, int64_t first_row, int64_t rows) {
  const auto* rows_of_a = static_cast<const uint16_t*>(g.a) + first_row * g.a_stride;
  const TileRows a = {rows_of_a, g.a_stride * 2};
  // What lies beyond the last k in memory is not part of a row: those steps read a padded copy.
  alignas(64) uint16_t padded[kBlockRows][kTileDepth] = {};
  const int64_t whole = g.k / kTileDepth * kTileDepth;
  for (int64_t row = 0; row < rows && whole < g.k; ++row) {
    __builtin_memcpy(padded[row], rows_of_a + row * g.a_stride + whole,
                     static_cast<size_t>(g.k - whole) * 2);
  }
  const TileRows tail = {padded[0], kTileBytes};
  float* sums = g.sums + first_row * kWidePanelColumns;
  for (int64_t column = 0; column < kWidePanelColumns; column += 2 * kTileColumns) {
    const char* weights = static_cast<const char*>(g.b) + column * 4;
    if (rows > kTileRows) {
      HalfPanel<true>(g, a, tail, weights, sums + column);
    } else {
      HalfPanel<false>(g, a, tail, weights, sums + column);
    }
  }
}

}  // namespace

void MultiplyBf16Bf16(const GemmMultiply& g) noexcept {
  int64_t configured = 0;
  for (int64_t row = 0; row < g.rows; row += kBlockRows) {
    const int64_t rows = g.rows - row < kBlockRows ? g.rows - row : kBlockRows;
    if (rows != configured) Configure(rows);
    configured = rows;
    Block(g, row, rows);
  }
  FetchNext(g);
  if (g.rows > 0) _tile_release();
}

}  // namespace vernier::amx
