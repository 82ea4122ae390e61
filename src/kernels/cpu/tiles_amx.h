// Tile registers of AMX as this project's products use them: sums in 0 to 3, two above two;
// activations in 4 (upper rows) and 5 (lower); weights in 6 and 7. Included only by amx files,
// after immintrin.h.
#pragma once

#include "kernels/cpu/gemm_abi.h"

namespace vernier::amx {
namespace {

constexpr int64_t kTileRows = 16;                          // rows of one tile register
constexpr int64_t kBlockRows = 32;                         // two of them
constexpr int64_t kTileColumns = 16;                       // of 4 bytes
constexpr int64_t kTileBytes = 64;                         // of a row
constexpr int64_t kPanelRowBytes = kWidePanelColumns * 4;  // of sums, or of weights 4 bytes deep

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

/// For blocks of `rows` <= kBlockRows rows.
void Configure(int64_t rows) {
  const auto upper = static_cast<uint8_t>(rows < kTileRows ? rows : kTileRows);
  const auto lower = static_cast<uint8_t>(rows - upper);
  TileConfig config;
  const uint8_t height[8] = {upper, upper, lower, lower, upper, lower, kTileRows, kTileRows};
  for (int i = 0; i < 8; ++i) {
    config.rows[i] = height[i];
    config.row_bytes[i] = height[i] == 0 ? 0 : kTileBytes;
  }
  _tile_loadconfig(&config);
}

/// Rows of activations, as one tile register or two take them.
struct TileRows {
  const void* first;
  int64_t stride;  // bytes
};

/// Adds the products of one step of k to half a panel's sums. Dot names the instruction:
///   AddUpper(), AddLower()    sums 0 and 1 of tiles 4 and 6, 4 and 7; 2 and 3 of 5 and 6, 5 and 7
template <typename Dot, bool kLower>
inline void AddProducts(TileRows a, const char* weights) {
  _tile_loadd(6, weights, kPanelRowBytes);
  _tile_loadd(7, weights + kTileBytes, kPanelRowBytes);
  _tile_loadd(4, a.first, a.stride);
  Dot::AddUpper();
  if constexpr (kLower) {
    _tile_loadd(5, static_cast<const char*>(a.first) + kTileRows * a.stride, a.stride);
    Dot::AddLower();
  }
}

template <bool kLower>
inline void ZeroSums() {
  _tile_zero(0);
  _tile_zero(1);
  if constexpr (kLower) _tile_zero(2);
  if constexpr (kLower) _tile_zero(3);
}

/// `Sum` is of 4 bytes, as sums are.
template <bool kLower, typename Sum>
inline void StoreSums(Sum* sums) {
  Sum* const lower = sums + kTileRows * kWidePanelColumns;
  _tile_stored(0, sums, kPanelRowBytes);
  _tile_stored(1, sums + kTileColumns, kPanelRowBytes);
  if constexpr (kLower) _tile_stored(2, lower, kPanelRowBytes);
  if constexpr (kLower) _tile_stored(3, lower + kTileColumns, kPanelRowBytes);
}

/// What the caller reads next, into the second-level cache.
void FetchNext(const GemmMultiply& g) {
  const char* next = static_cast<const char*>(g.next);
  for (int64_t at = 0; at < g.next_bytes; at += 64) __builtin_prefetch(next + at, 0, 2);
}

}  // namespace
}  // namespace vernier::amx
