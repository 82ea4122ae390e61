// The tile instructions of AMX that our kernels use, in plain C++ after Intel's "Architecture
// Instruction Set Extensions Programming Reference" (chapter "Intel AMX"), for tests of the
// kernels' logic on machines without AMX. A tile whose shape an instruction does not accept ends
// the program, as it would there. Include it first, then the kernels' files.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/float_types.h"

namespace vernier::amx_emulation {

struct Tile {
  int64_t rows = 0;
  int64_t row_bytes = 0;
  uint8_t bytes[16][64] = {};
};

inline Tile tiles[8];

inline void Accept(bool accepted) {
  if (!accepted) std::abort();
}

inline void LoadConfig(const void* config) {
  const auto* bytes = static_cast<const uint8_t*>(config);
  Accept(bytes[0] == 1);
  for (int i = 0; i < 8; ++i) {
    uint16_t row_bytes = 0;
    std::memcpy(&row_bytes, bytes + 16 + 2 * i, sizeof(row_bytes));
    tiles[i] = {.rows = bytes[48 + i], .row_bytes = row_bytes};
    Accept(tiles[i].rows <= 16 && row_bytes <= 64 && (tiles[i].rows == 0) == (row_bytes == 0));
  }
}

inline void Release() {
  for (Tile& tile : tiles) tile = {};
}

inline void Zero(int to) {
  Accept(tiles[to].rows > 0);
  std::memset(tiles[to].bytes, 0, sizeof(tiles[to].bytes));
}

inline void Load(int to, const void* from, int64_t stride) {
  Zero(to);
  for (int64_t row = 0; row < tiles[to].rows; ++row) {
    std::memcpy(tiles[to].bytes[row], static_cast<const char*>(from) + row * stride,
                static_cast<size_t>(tiles[to].row_bytes));
  }
}

inline void Store(int from, void* to, int64_t stride) {
  Accept(tiles[from].rows > 0);
  for (int64_t row = 0; row < tiles[from].rows; ++row) {
    std::memcpy(static_cast<char*>(to) + row * stride, tiles[from].bytes[row],
                static_cast<size_t>(tiles[from].row_bytes));
  }
}

// sums[m][n] += products of the units of 4 bytes a[m][k] and b[k][n], over all k.
template <typename Sum, typename Product>
void AddProducts(int to, int a, int b, Product product) {
  Tile &sums = tiles[to], &left = tiles[a], &right = tiles[b];
  Accept(sums.rows > 0 && sums.rows == left.rows && sums.row_bytes == right.row_bytes &&
         left.row_bytes == right.rows * 4);
  for (int64_t m = 0; m < sums.rows; ++m) {
    for (int64_t n = 0; n < sums.row_bytes / 4; ++n) {
      Sum sum;
      std::memcpy(&sum, sums.bytes[m] + 4 * n, sizeof(sum));
      for (int64_t k = 0; k < right.rows; ++k) {
        sum += product(left.bytes[m] + 4 * k, right.bytes[k] + 4 * n);
      }
      std::memcpy(sums.bytes[m] + 4 * n, &sum, sizeof(sum));
    }
  }
}

inline void AddBf16(int to, int a, int b) {
  AddProducts<float>(to, a, b, [](const uint8_t* x, const uint8_t* y) {
    uint16_t left[2], right[2];
    std::memcpy(left, x, sizeof(left));
    std::memcpy(right, y, sizeof(right));
    return FromBf16(left[0]) * FromBf16(right[0]) + FromBf16(left[1]) * FromBf16(right[1]);
  });
}

inline void AddSignedByUnsigned(int to, int a, int b) {
  AddProducts<int32_t>(to, a, b, [](const uint8_t* x, const uint8_t* y) {
    int32_t sum = 0;
    for (int i = 0; i < 4; ++i) sum += int32_t{static_cast<int8_t>(x[i])} * y[i];
    return sum;
  });
}

}  // namespace vernier::amx_emulation

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#undef _tile_dpbsud
#define _tile_loadconfig ::vernier::amx_emulation::LoadConfig
#define _tile_release ::vernier::amx_emulation::Release
#define _tile_zero ::vernier::amx_emulation::Zero
#define _tile_loadd ::vernier::amx_emulation::Load
#define _tile_stored ::vernier::amx_emulation::Store
#define _tile_dpbf16ps ::vernier::amx_emulation::AddBf16
#define _tile_dpbsud ::vernier::amx_emulation::AddSignedByUnsigned
