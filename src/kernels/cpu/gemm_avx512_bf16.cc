// Packed matrix multiplication of bf16 by bf16, AVX-512 F/BW/VL/DQ and BF16. Wide panels in pairs
// of k (pack.h). vdpbf16ps adds two products to each fp32 sum; it takes subnormals as zero. The
// tile is that of gemm_avx512.cc. Bound: one vdpbf16ps per cycle (gemm.h has figures).
#include <immintrin.h>

#include "kernels/cpu/gemm_abi.h"

namespace vernier::avx512_bf16 {
namespace {

constexpr int64_t kColumns = kWidePanelColumns;
constexpr int kLanes = 16;
constexpr int kVectors = kColumns / kLanes;
constexpr int kTileRows = 6;
constexpr int64_t kCacheLineBytes = 64;

template <int kRows>
using Sums = __m512[kRows][kVectors];

int32_t PairAt(const uint16_t* a) {
  int32_t pair;
  __builtin_memcpy(&pair, a, sizeof(pair));
  return pair;
}

// The odd last k alone: what lies beyond it in memory is not part of the row.
int32_t LastAt(const uint16_t* a) { return *a; }

template <int kRows, int32_t (*kFactors)(const uint16_t*)>
inline void MultiplyAdd(const uint16_t* a, int64_t a_stride, const uint16_t* b, Sums<kRows>& acc) {
  __m512bh weights[kVectors];
  for (int vector = 0; vector < kVectors; ++vector) {
    weights[vector] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + vector * 2 * kLanes));
  }
  for (int row = 0; row < kRows; ++row) {
    const __m512bh factors =
        reinterpret_cast<__m512bh>(_mm512_set1_epi32(kFactors(a + row * a_stride)));
    for (int vector = 0; vector < kVectors; ++vector) {
      acc[row][vector] = _mm512_dpbf16_ps(acc[row][vector], factors, weights[vector]);
    }
  }
}

// One tile; prefetches `next_lines` cache lines at `next` into the second level on the way.
template <int kRows>
void Tile(const GemmMultiply& g, const uint16_t* a, float* sums, const char* next,
          int64_t next_lines) {
  Sums<kRows> acc;
  for (int row = 0; row < kRows; ++row) {
    for (int vector = 0; vector < kVectors; ++vector) {
      acc[row][vector] = g.accumulate ? _mm512_loadu_ps(sums + row * kColumns + vector * kLanes)
                                      : _mm512_setzero_ps();
    }
  }
  const auto* b = static_cast<const uint16_t*>(g.b);
  for (int64_t pair = 0; pair < g.k / 2; ++pair) {
    if (pair < next_lines) _mm_prefetch(next + pair * kCacheLineBytes, _MM_HINT_T1);
    MultiplyAdd<kRows, PairAt>(a + 2 * pair, g.a_stride, b + 2 * pair * kColumns, acc);
  }
  if (g.k % 2 != 0)
    MultiplyAdd<kRows, LastAt>(a + g.k - 1, g.a_stride, b + (g.k - 1) * kColumns, acc);
  for (int row = 0; row < kRows; ++row) {
    for (int vector = 0; vector < kVectors; ++vector) {
      _mm512_storeu_ps(sums + row * kColumns + vector * kLanes, acc[row][vector]);
    }
  }
}

}  // namespace

void MultiplyBf16Bf16(const GemmMultiply& g) noexcept {
  // The next panel's lines are spread evenly over the tiles.
  const int64_t tiles = (g.rows + kTileRows - 1) / kTileRows;
  const int64_t lines = (g.next_bytes + kCacheLineBytes - 1) / kCacheLineBytes;
  const int64_t lines_per_tile = tiles == 0 ? 0 : (lines + tiles - 1) / tiles;
  const char* next = static_cast<const char*>(g.next);
  int64_t lines_left = lines;
  for (int64_t row = 0; row < g.rows; row += kTileRows) {
    const uint16_t* a = static_cast<const uint16_t*>(g.a) + row * g.a_stride;
    float* sums = g.sums + row * kColumns;
    const int64_t now = lines_left < lines_per_tile ? lines_left : lines_per_tile;
    switch (g.rows - row) {
      case 1:
        Tile<1>(g, a, sums, next, now);
        break;
      case 2:
        Tile<2>(g, a, sums, next, now);
        break;
      case 3:
        Tile<3>(g, a, sums, next, now);
        break;
      case 4:
        Tile<4>(g, a, sums, next, now);
        break;
      case 5:
        Tile<5>(g, a, sums, next, now);
        break;
      default:
        Tile<kTileRows>(g, a, sums, next, now);
    }
    next += now * kCacheLineBytes;
    lines_left -= now;
  }
}

}  // namespace vernier::avx512_bf16
