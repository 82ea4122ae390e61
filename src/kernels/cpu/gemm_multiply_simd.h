// The first step of a packed matrix multiplication for any instruction set I. Included only by
// instruction-set files; I is a type of their anonymous namespace, so that nothing instantiated
// here leaves the file. A tile of kTileRows rows by one panel is kept in registers over all of k. I
// has:
//   A, B                      element types of activations and weights
//   Operand, Register         a register of weights or factors; one of fp32 sums
//   kLanes, kVectors          columns in a register; registers in a panel's width
//   kTileRows                 rows of a tile: sums, weights and a factor fill the registers
//   kPairs                    one MultiplyAdd takes two neighbouring k
//   Zero, Load, Store         of sums
//   Weights<kOdd>(b, p, v)    weights of k = 2 p + kOdd (with kPairs: of both) in register v
//   Factor(a), LastFactor(a)  a[0] (with kPairs: a[0] and a[1], or a[0] and zero) in every lane
//   MultiplyAdd(f, w, sum)    sum + f * w
#pragma once

#include "kernels/cpu/gemm_abi.h"

namespace vernier {

constexpr int64_t kCacheLineBytes = 64;

/// Memory to bring into the second-level cache, a line at a time.
struct Prefetch {
  const char* next;
  int64_t lines;
};

template <typename I, int kRows>
using TileSums = typename I::Register[kRows][I::kVectors];

template <typename I, int kOdd, int kRows, bool kLast = false>
inline void AddProducts(const typename I::A* a, int64_t a_stride, const typename I::B* b,
                        int64_t pair, TileSums<I, kRows>& sums) {
  typename I::Operand weights[I::kVectors];
  for (int vector = 0; vector < I::kVectors; ++vector) {
    weights[vector] = I::template Weights<kOdd>(b, pair, vector);
  }
  for (int row = 0; row < kRows; ++row) {
    const typename I::A* at = a + row * a_stride + 2 * pair + kOdd;
    const typename I::Operand factor = kLast ? I::LastFactor(at) : I::Factor(at);
    for (int vector = 0; vector < I::kVectors; ++vector) {
      sums[row][vector] = I::MultiplyAdd(factor, weights[vector], sums[row][vector]);
    }
  }
}

template <typename I, int kRows>
void MultiplyTile(const GemmMultiply& g, int64_t first_row, Prefetch prefetch) {
  constexpr int64_t kColumns = I::kVectors * I::kLanes;
  const auto* a = static_cast<const typename I::A*>(g.a) + first_row * g.a_stride;
  const auto* b = static_cast<const typename I::B*>(g.b);
  const int64_t a_stride = g.a_stride;
  float* to = g.sums + first_row * kColumns;
  TileSums<I, kRows> sums;
  for (int row = 0; row < kRows; ++row) {
    for (int vector = 0; vector < I::kVectors; ++vector) {
      sums[row][vector] =
          g.accumulate ? I::Load(to + row * kColumns + vector * I::kLanes) : I::Zero();
    }
  }
  const int64_t pairs = g.k / 2;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    if (pair < prefetch.lines) __builtin_prefetch(prefetch.next + pair * kCacheLineBytes, 0, 2);
    AddProducts<I, 0, kRows>(a, a_stride, b, pair, sums);
    if constexpr (!I::kPairs) AddProducts<I, 1, kRows>(a, a_stride, b, pair, sums);
  }
  if (g.k % 2 != 0) AddProducts<I, 0, kRows, true>(a, a_stride, b, pairs, sums);
  for (int row = 0; row < kRows; ++row) {
    for (int vector = 0; vector < I::kVectors; ++vector) {
      I::Store(to + row * kColumns + vector * I::kLanes, sums[row][vector]);
    }
  }
}

/// The tile of height `rows`, which is at most kRows.
template <typename I, int kRows>
void MultiplyTileOf(int64_t rows, const GemmMultiply& g, int64_t first_row, Prefetch prefetch) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return MultiplyTileOf<I, kRows - 1>(rows, g, first_row, prefetch);
  }
  MultiplyTile<I, kRows>(g, first_row, prefetch);
}

template <typename I>
void MultiplyPanel(const GemmMultiply& g) {
  // What the caller reads next is fetched evenly over the tiles.
  const int64_t tiles = (g.rows + I::kTileRows - 1) / I::kTileRows;
  const int64_t lines = (g.next_bytes + kCacheLineBytes - 1) / kCacheLineBytes;
  int64_t fetched = 0;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t row = tile * I::kTileRows;
    const int64_t fetch_to = lines * (tile + 1) / tiles;
    const Prefetch prefetch = {static_cast<const char*>(g.next) + fetched * kCacheLineBytes,
                               fetch_to - fetched};
    MultiplyTileOf<I, I::kTileRows>(g.rows - row, g, row, prefetch);
    fetched = fetch_to;
  }
}

}  // namespace vernier
