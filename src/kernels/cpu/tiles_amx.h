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

/// What the caller reads next, into the second-level cache.
void FetchNext(const GemmMultiply& g) {
  const char* next = static_cast<const char*>(g.next);
  for (int64_t at = 0; at < g.next_bytes; at += 64) __builtin_prefetch(next + at, 0, 2);
}

}  // namespace
}  // namespace vernier::amx
