// Packed matrix multiplication of bf16 by bf16, AMX-TILE and AMX-BF16. Wide panels in pairs of k
// (pack.h): a tile of weights is 16 pairs of k by 16 columns, as it lies in the panel. Two tiles of
// activations (16 rows each) meet two of weights, so that four of sums fill the eight registers
// with 4 products for 4 loads. Bound: one tdpbf16ps per 16 cycles (not measured yet).
// The process must have been granted tile registers (core/cpu_features.cc).
#include <immintrin.h>

#include "kernels/cpu/gemm_abi.h"

namespace vernier::amx {
namespace {

constexpr int64_t kTileRows = 16;     // rows of one tile register
constexpr int64_t kBlockRows = 32;    // two of them
constexpr int64_t kTileColumns = 16;  // fp32 sums, or pairs of bf16
constexpr int64_t kTileDepth = 32;    // bf16 in a row of a tile
constexpr int64_t kSumsBytes = kWidePanelColumns * 4;
constexpr int64_t kWeightsBytes = kWidePanelColumns * 2 * 2;  // one pair of k
constexpr int64_t kDepthTileBytes = kTileDepth * 2;

// Tile registers: sums 0 and 1 in the upper rows, 2 and 3 in the lower; activations 4 (upper) and
// 5 (lower); weights 6 and 7.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

void Configure(int64_t rows) {
  const auto upper = static_cast<uint8_t>(rows < kTileRows ? rows : kTileRows);
  const auto lower = static_cast<uint8_t>(rows - upper);
  TileConfig config;
  const uint8_t height[8] = {upper, upper, lower, lower, upper, lower, kTileRows, kTileRows};
  for (int i = 0; i < 8; ++i) {
    config.rows[i] = height[i];
    config.row_bytes[i] = height[i] == 0 ? 0 : 64;
  }
  _tile_loadconfig(&config);
}

struct Activations {
  const uint16_t* rows;
  int64_t stride_bytes;
};

template <bool kLower>
inline void AddProducts(Activations a, const char* weights) {
  _tile_loadd(6, weights, kWeightsBytes);
  _tile_loadd(7, weights + kTileColumns * 4, kWeightsBytes);
  _tile_loadd(4, a.rows, a.stride_bytes);
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  if constexpr (kLower) {
    _tile_loadd(5, a.rows + kTileRows * a.stride_bytes / 2, a.stride_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

// Half a panel for up to 32 rows; `tail` holds the last, padded step of k when k has one.
template <bool kLower>
void HalfPanel(const GemmMultiply& g, Activations a, Activations tail, const char* weights,
               float* sums) {
  float* lower = sums + kTileRows * kWidePanelColumns;
  if (g.accumulate) {
    _tile_loadd(0, sums, kSumsBytes);
    _tile_loadd(1, sums + kTileColumns, kSumsBytes);
    if constexpr (kLower) _tile_loadd(2, lower, kSumsBytes);
    if constexpr (kLower) _tile_loadd(3, lower + kTileColumns, kSumsBytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (kLower) _tile_zero(2);
    if constexpr (kLower) _tile_zero(3);
  }
  const int64_t whole = g.k / kTileDepth;
  for (int64_t step = 0; step < whole; ++step) {
    AddProducts<kLower>({a.rows + step * kTileDepth, a.stride_bytes},
                        weights + step * kTileDepth / 2 * kWeightsBytes);
  }
  if (g.k % kTileDepth != 0) {
    AddProducts<kLower>(tail, weights + whole * kTileDepth / 2 * kWeightsBytes);
  }
  _tile_stored(0, sums, kSumsBytes);
  _tile_stored(1, sums + kTileColumns, kSumsBytes);
  if constexpr (kLower) _tile_stored(2, lower, kSumsBytes);
  if constexpr (kLower) _tile_stored(3, lower + kTileColumns, kSumsBytes);
}

void Block(const GemmMultiply& g, int64_t first_row, int64_t rows) {
  const Activations a = {static_cast<const uint16_t*>(g.a) + first_row * g.a_stride,
                         g.a_stride * 2};
  // What lies beyond the last k in memory is not part of a row: those steps read a padded copy.
  alignas(64) uint16_t padded[kBlockRows][kTileDepth] = {};
  const int64_t whole = g.k / kTileDepth * kTileDepth;
  for (int64_t row = 0; row < rows && whole < g.k; ++row) {
    __builtin_memcpy(padded[row], a.rows + row * g.a_stride + whole,
                     static_cast<size_t>(g.k - whole) * 2);
  }
  const Activations tail = {padded[0], kDepthTileBytes};
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
  const char* next = static_cast<const char*>(g.next);
  for (int64_t at = 0; at < g.next_bytes; at += 64) __builtin_prefetch(next + at, 0, 2);
  if (g.rows > 0) _tile_release();
}

}  // namespace vernier::amx
