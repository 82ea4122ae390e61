// Packed matrix multiplication, AVX-512 F/BW/VL/DQ. Wide panels (pack.h); bf16 is widened in
// registers. A tile of 6 rows by 64 columns keeps 24 accumulators, 4 weights and 1 activation in
// the 32 registers: 24 multiply-adds for 10 loads per k. Bound: FMA throughput (gemm.h has
// figures).
#include <immintrin.h>

#include "kernels/cpu/gemm_abi.h"

namespace vernier::avx512 {
namespace {

constexpr int64_t kColumns = kWidePanelColumns;
constexpr int kLanes = 16;
constexpr int kVectors = kColumns / kLanes;
constexpr int kTileRows = 6;
constexpr int64_t kCacheLineBytes = 64;

float ToFloat(float value) { return value; }
float ToFloat(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  __builtin_memcpy(&value, &wide, sizeof(value));
  return value;
}

// Sixteen weights of k = 2 * pair (+ 1 when odd). f32: rows of the panel as they lie.
struct F32Weights {
  const float* panel;
  template <bool kOdd>
  __m512 Load(int64_t pair, int vector) const {
    return _mm512_loadu_ps(panel + (2 * pair + kOdd) * kColumns + vector * kLanes);
  }
};

// bf16: pairs of k in 32 bits, the even one in the low half.
struct Bf16Weights {
  const uint16_t* panel;
  template <bool kOdd>
  __m512 Load(int64_t pair, int vector) const {
    const __m512i pairs = _mm512_loadu_si512(panel + 2 * (pair * kColumns + vector * kLanes));
    return _mm512_castsi512_ps(kOdd ? _mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000))
                                    : _mm512_slli_epi32(pairs, 16));
  }
};

template <int kRows>
using Sums = __m512[kRows][kVectors];

template <bool kOdd, int kRows, typename A, typename Weights>
inline void MultiplyAdd(const A* a, int64_t a_stride, Weights weights, int64_t pair,
                        Sums<kRows>& acc) {
  __m512 b[kVectors];
  for (int vector = 0; vector < kVectors; ++vector) {
    b[vector] = weights.template Load<kOdd>(pair, vector);
  }
  for (int row = 0; row < kRows; ++row) {
    const __m512 factor = _mm512_set1_ps(ToFloat(a[row * a_stride + 2 * pair + kOdd]));
    for (int vector = 0; vector < kVectors; ++vector) {
      acc[row][vector] = _mm512_fmadd_ps(factor, b[vector], acc[row][vector]);
    }
  }
}

// One tile; prefetches `next_lines` cache lines at `next` into the second level on the way.
template <int kRows, typename A, typename Weights>
void Tile(const GemmMultiply& g, const A* a, Weights weights, float* sums, const char* next,
          int64_t next_lines) {
  Sums<kRows> acc;
  for (int row = 0; row < kRows; ++row) {
    for (int vector = 0; vector < kVectors; ++vector) {
      acc[row][vector] = g.accumulate ? _mm512_loadu_ps(sums + row * kColumns + vector * kLanes)
                                      : _mm512_setzero_ps();
    }
  }
  for (int64_t pair = 0; pair < g.k / 2; ++pair) {
    if (pair < next_lines) _mm_prefetch(next + pair * kCacheLineBytes, _MM_HINT_T1);
    MultiplyAdd<false, kRows>(a, g.a_stride, weights, pair, acc);
    MultiplyAdd<true, kRows>(a, g.a_stride, weights, pair, acc);
  }
  if (g.k % 2 != 0) MultiplyAdd<false, kRows>(a, g.a_stride, weights, g.k / 2, acc);
  for (int row = 0; row < kRows; ++row) {
    for (int vector = 0; vector < kVectors; ++vector) {
      _mm512_storeu_ps(sums + row * kColumns + vector * kLanes, acc[row][vector]);
    }
  }
}

template <typename A, typename Weights>
void Multiply(const GemmMultiply& g, Weights weights) {
  // The next panel's lines are spread evenly over the tiles.
  const int64_t tiles = (g.rows + kTileRows - 1) / kTileRows;
  const int64_t lines = (g.next_bytes + kCacheLineBytes - 1) / kCacheLineBytes;
  const int64_t lines_per_tile = tiles == 0 ? 0 : (lines + tiles - 1) / tiles;
  const char* next = static_cast<const char*>(g.next);
  int64_t lines_left = lines;
  for (int64_t row = 0; row < g.rows; row += kTileRows) {
    const A* a = static_cast<const A*>(g.a) + row * g.a_stride;
    float* sums = g.sums + row * kColumns;
    const int64_t now = lines_left < lines_per_tile ? lines_left : lines_per_tile;
    switch (g.rows - row) {
      case 1:
        Tile<1>(g, a, weights, sums, next, now);
        break;
      case 2:
        Tile<2>(g, a, weights, sums, next, now);
        break;
      case 3:
        Tile<3>(g, a, weights, sums, next, now);
        break;
      case 4:
        Tile<4>(g, a, weights, sums, next, now);
        break;
      case 5:
        Tile<5>(g, a, weights, sums, next, now);
        break;
      default:
        Tile<kTileRows>(g, a, weights, sums, next, now);
    }
    next += now * kCacheLineBytes;
    lines_left -= now;
  }
}

}  // namespace

void MultiplyF32F32(const GemmMultiply& g) noexcept {
  Multiply<float>(g, F32Weights{static_cast<const float*>(g.b)});
}

void MultiplyF32Bf16(const GemmMultiply& g) noexcept {
  Multiply<float>(g, Bf16Weights{static_cast<const uint16_t*>(g.b)});
}

void MultiplyBf16Bf16(const GemmMultiply& g) noexcept {
  Multiply<uint16_t>(g, Bf16Weights{static_cast<const uint16_t*>(g.b)});
}

}  // namespace vernier::avx512
