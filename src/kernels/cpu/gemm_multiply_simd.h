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

/// Memory to bring into the caches, a line at a time.
struct Prefetch {
  const char* next;
  int64_t lines;
};

/// Pairs of k between visits to what is fetched ahead.
constexpr int64_t kFetchStep = 16;

/// What is fetched while one tile is multiplied: rows of activations and of results beside the next
/// panel. Without it a tile waits for each of its rows once, and its results wait for memory to
/// take them: 13 % of a product of 2048 rows in bf16, 768 deep (Zen 4).
template <typename I>
class TileFetch {
 public:
  static constexpr int64_t kStepBytes =
      2 * kFetchStep * static_cast<int64_t>(sizeof(typename I::A));

  /// For the tile of `rows` rows at `first_row`.
  TileFetch(const GemmMultiply& g, int64_t first_row, int64_t rows, Prefetch panel)
      : g_(g), first_row_(first_row), rows_(rows), panel_(panel) {
    const int64_t behind = g.rows - first_row - rows + g.next_rows;
    next_rows_ = behind < I::kTileRows ? behind : I::kTileRows;
    a_stride_bytes_ = g.a_stride * static_cast<int64_t>(sizeof(typename I::A));
    next_a_ = static_cast<const char*>(g.a) + (first_row + rows) * a_stride_bytes_;
    const int64_t pairs = g.k / 2, steps = pairs < kFetchStep ? 1 : pairs / kFetchStep;
    // With few rows a panel comes as fast as memory gives it; fetching much ahead slows that down.
    if (panel_.lines > pairs) panel_.lines = pairs;
    step_lines_ = (panel_.lines + steps - 1) / steps;
    step_rows_ = (rows + steps - 1) / steps;
  }

  /// Before every kFetchStep pairs. A call would save and restore the tile's sums.
  [[gnu::always_inline]] void Step() {
    const int64_t lines = panel_.lines < step_lines_ ? panel_.lines : step_lines_;
    for (int64_t line = 0; line < lines; ++line) {
      __builtin_prefetch(panel_.next + line * kCacheLineBytes, 0, 2);
    }
    panel_.next += lines * kCacheLineBytes;
    panel_.lines -= lines;
    for (int64_t row = 0; row < next_rows_; ++row) {
      const char* at = next_a_ + row * a_stride_bytes_;
      for (int64_t byte = 0; byte < kStepBytes; byte += kCacheLineBytes) {
        __builtin_prefetch(at + byte, 0, 3);
      }
    }
    next_a_ += kStepBytes;
    const int64_t result_rows = rows_ < step_rows_ ? rows_ : step_rows_;
    for (int64_t row = 0; row < result_rows; ++row) {
      Fetch<1>(g_.results, first_row_ + row);
      Fetch<0>(g_.residual, first_row_ + row);
    }
    first_row_ += result_rows;
    rows_ -= result_rows;
  }

 private:
  template <int kWritten>
  [[gnu::always_inline]] static void Fetch(const GemmRows& rows, int64_t row) {
    if (rows.first == nullptr) return;
    const char* at = static_cast<const char*>(rows.first) + row * rows.stride;
    for (int64_t byte = 0; byte < rows.bytes; byte += kCacheLineBytes) {
      __builtin_prefetch(at + byte, kWritten, 3);
    }
  }

  const GemmMultiply& g_;
  int64_t first_row_, rows_;  // whose results are still to be fetched
  Prefetch panel_;
  int64_t next_rows_, a_stride_bytes_, step_lines_, step_rows_;
  const char* next_a_;
};

// kVectors counts the registers of a panel's width that are wanted, which are fewer than I's in a
// last panel with few columns.
template <typename I, int kRows, int kVectors>
using TileSums = typename I::Register[kRows][kVectors];

template <int kRows, int kVectors, typename F>
[[gnu::always_inline]] inline void EachSum(F f) {
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int vector = 0; vector < kVectors; ++vector) f(row, vector);
  }
}

template <typename I, int kOdd, int kRows, int kVectors, bool kLast = false>
inline void AddProducts(const typename I::A* a, int64_t a_stride, const typename I::B* b,
                        int64_t pair, TileSums<I, kRows, kVectors>& sums) {
  typename I::Operand weights[kVectors];
  for (int vector = 0; vector < kVectors; ++vector) {
    weights[vector] = I::template Weights<kOdd>(b, pair, vector);
  }
  for (int row = 0; row < kRows; ++row) {
    const typename I::A* at = a + row * a_stride + 2 * pair + kOdd;
    const typename I::Operand factor = kLast ? I::LastFactor(at) : I::Factor(at);
    for (int vector = 0; vector < kVectors; ++vector) {
      sums[row][vector] = I::MultiplyAdd(factor, weights[vector], sums[row][vector]);
    }
  }
}

/// The rows of sums that a tile begins with. Reading zeros where there are none yet leaves one way
/// into the loop over k, through which the sums stay in registers.
struct FirstSums {
  const float* from;
  int64_t stride;
};

template <typename I>
FirstSums FirstSumsOf(const GemmMultiply& g, const float* to) {
  constexpr int64_t kColumns = I::kVectors * I::kLanes;
  alignas(64) static constexpr float kZeros[kColumns] = {};
  return g.accumulate ? FirstSums{to, kColumns} : FirstSums{kZeros, 0};
}

/// The last of an odd number of k.
template <typename I, int kVectors, int kRows>
[[gnu::noinline]] void AddLastProducts(const GemmMultiply& g, int64_t first_row) {
  constexpr int64_t kColumns = I::kVectors * I::kLanes;
  const auto* a = static_cast<const typename I::A*>(g.a) + first_row * g.a_stride;
  float* to = g.sums + first_row * kColumns;
  TileSums<I, kRows, kVectors> sums;
  EachSum<kRows, kVectors>([&](int row, int vector) {
    sums[row][vector] = I::Load(to + row * kColumns + vector * I::kLanes);
  });
  const auto* b = static_cast<const typename I::B*>(g.b);
  AddProducts<I, 0, kRows, kVectors, true>(a, g.a_stride, b, g.k / 2, sums);
  EachSum<kRows, kVectors>([&](int row, int vector) {
    I::Store(to + row * kColumns + vector * I::kLanes, sums[row][vector]);
  });
}

template <typename I, int kVectors, int kRows>
void MultiplyTile(const GemmMultiply& g, int64_t first_row, Prefetch panel) {
  constexpr int64_t kColumns = I::kVectors * I::kLanes;
  const auto* a = static_cast<const typename I::A*>(g.a) + first_row * g.a_stride;
  const auto* b = static_cast<const typename I::B*>(g.b);
  const int64_t a_stride = g.a_stride;
  float* to = g.sums + first_row * kColumns;
  const FirstSums first = FirstSumsOf<I>(g, to);
  TileFetch<I> fetch(g, first_row, kRows, panel);
  TileSums<I, kRows, kVectors> sums;
  EachSum<kRows, kVectors>([&](int row, int vector) {
    sums[row][vector] = I::Load(first.from + row * first.stride + vector * I::kLanes);
  });
  const int64_t pairs = g.k / 2;
  for (int64_t pair = 0; pair < pairs;) {
    fetch.Step();
    const int64_t end = pairs - pair < kFetchStep ? pairs : pair + kFetchStep;
    for (; pair < end; ++pair) {
      AddProducts<I, 0, kRows, kVectors>(a, a_stride, b, pair, sums);
      if constexpr (!I::kPairs) AddProducts<I, 1, kRows, kVectors>(a, a_stride, b, pair, sums);
    }
  }
  EachSum<kRows, kVectors>([&](int row, int vector) {
    I::Store(to + row * kColumns + vector * I::kLanes, sums[row][vector]);
  });
  if (g.k % 2 != 0) AddLastProducts<I, kVectors, kRows>(g, first_row);
}

/// The tile of height `rows`, which is at most kRows.
template <typename I, int kVectors, int kRows>
void MultiplyTileOf(int64_t rows, const GemmMultiply& g, int64_t first_row, Prefetch panel) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return MultiplyTileOf<I, kVectors, kRows - 1>(rows, g, first_row, panel);
  }
  MultiplyTile<I, kVectors, kRows>(g, first_row, panel);
}

template <typename I, int kVectors>
void MultiplyVectors(const GemmMultiply& g) {
  // What the caller reads next is fetched evenly over the tiles.
  const int64_t tiles = (g.rows + I::kTileRows - 1) / I::kTileRows;
  const int64_t lines = (g.next_bytes + kCacheLineBytes - 1) / kCacheLineBytes;
  int64_t fetched = 0;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t row = tile * I::kTileRows;
    const int64_t fetch_to = lines * (tile + 1) / tiles;
    const Prefetch panel = {static_cast<const char*>(g.next) + fetched * kCacheLineBytes,
                            fetch_to - fetched};
    MultiplyTileOf<I, kVectors, I::kTileRows>(g.rows - row, g, row, panel);
    fetched = fetch_to;
  }
}

/// As many registers as hold the wanted columns, at most kVectors.
template <typename I, int kVectors>
void MultiplyColumns(const GemmMultiply& g) {
  if constexpr (kVectors > 1) {
    if (g.columns <= (kVectors - 1) * I::kLanes) return MultiplyColumns<I, kVectors - 1>(g);
  }
  MultiplyVectors<I, kVectors>(g);
}

template <typename I>
void MultiplyPanel(const GemmMultiply& g) {
  if (g.columns == 0) return MultiplyVectors<I, I::kVectors>(g);
  MultiplyColumns<I, I::kVectors>(g);
}

/// The panel that I's weights become, of type To, each register as it enters a product.
template <typename I, typename To>
void WidenPanel(const GemmWiden& w) {
  constexpr int kRegisters = I::kVectors * (I::kPairs ? 1 : 2);
  auto* to = static_cast<To*>(w.to);
  for (int64_t pair = 0; pair < w.k / 2; ++pair) {
    // All before the first is stored: neighbours may come of one load.
    typename I::Operand weights[kRegisters];
    for (int vector = 0; vector < I::kVectors; ++vector) {
      weights[vector] = I::template Weights<0>(w.from, pair, vector);
      if constexpr (!I::kPairs) {
        weights[I::kVectors + vector] = I::template Weights<1>(w.from, pair, vector);
      }
    }
    __builtin_memcpy(to, weights, sizeof(weights));
    to += kRegisters * I::kLanes * (I::kPairs ? 2 : 1);
  }
}

}  // namespace vernier
