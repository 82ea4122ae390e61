// The first step of a packed matrix multiplication for any instruction set I. Included only by
// instruction-set files; I is a type of their anonymous namespace, so that nothing instantiated
// here leaves the file. A tile of kTileRows rows by one panel is kept in registers over all of k. I
// has:
//   A, B                      element types of activations and weights
//   Operand, Register         a register of weights or factors; one of fp32 sums
//   kLanes, kVectors          columns in a register; registers in a panel's width
//   kTileRows                 rows of a tile: sums, weights and a factor fill the registers
//   kPairs                    one MultiplyAdd takes two neighbouring k
//   kDigits                   rows of `a` that make a row of sums; more than one: see GemmDigits
//   Zero, Load, Store         of sums
//   Weights<kOdd>(b, p, v)    weights of k = 2 p + kOdd (with kPairs: of both) in register v
//   Factor(a), LastFactor(a)  a[0] (with kPairs: a[0] and a[1], or a[0] and zero) in every lane
//   MultiplyAdd(f, w, sum)    sum + f * w
// or, in place of all from Operand on but kLanes, kVectors, kTileRows and kDigits,
//   MultiplyTile<kVectors, kRows>(g, first_row, panel)
#pragma once

#include "kernels/cpu/gemm_abi.h"

namespace vernier {

constexpr int64_t kCacheLineBytes = 64;

/// Memory to bring into the caches, some lines at a step.
struct Prefetch {
  const char* next;
  const char* end;
  int64_t step_lines;
};

/// Multiplications of a row of A between visits to what is fetched ahead; of bytes a line.
template <typename A>
constexpr int64_t kFetchStep = sizeof(A) == 1 ? kCacheLineBytes : 32;

/// Some rows of activations, from the same k on. Rows of the upper half are reached from an address
/// of their own, so that all take two addresses and the stride: six multiples of it would leave too
/// few registers, and what compilers keep in vector registers instead passes through the units that
/// multiply (1.5 % of a product 1152 deep, Zen 4).
template <typename A>
class ActivationRows {
 public:
  static constexpr int kLower = 3;

  ActivationRows(const A* first, int64_t stride) : stride_(stride * kBytes) {
    lower_ = reinterpret_cast<const char*>(first);
    upper_ = lower_ + kLower * stride_;
    asm("" : "+r"(upper_));  // not to be reckoned from the lower one again
  }

  const A* operator[](int row) const {
    return reinterpret_cast<const A*>(row < kLower ? lower_ + row * stride_
                                                   : upper_ + (row - kLower) * stride_);
  }

  void Advance(int64_t k) {
    lower_ += k * kBytes;
    upper_ += k * kBytes;
  }

  /// Brings `count` rows behind the first kRows, at most as many, into the first-level cache.
  template <int kRows, int64_t kBytesEach>
  [[gnu::always_inline]] void FetchBehind(int64_t count) const {
    const char* at = upper_ + (kRows - kLower) * stride_;
    for (int64_t row = 0; row < count; ++row, at += stride_) {
      for (int64_t byte = 0; byte < kBytesEach; byte += kCacheLineBytes) {
        __builtin_prefetch(at + byte, 0, 3);
      }
    }
  }

 private:
  static constexpr int64_t kBytes = sizeof(A);
  int64_t stride_;
  const char* lower_;
  const char* upper_;
};

/// Rows that a tile's results go to, or are added to, one after the other.
class ResultRows {
 public:
  ResultRows(const GemmRows& rows, int64_t first)
      : stride_(rows.first == nullptr ? 0 : rows.stride),
        bytes_(rows.first == nullptr ? 0 : rows.bytes),
        at_(static_cast<const char*>(rows.first) + first * stride_) {}

  template <int kWritten>
  [[gnu::always_inline]] void Fetch() {
    for (int64_t byte = 0; byte < bytes_; byte += kCacheLineBytes) {
      __builtin_prefetch(at_ + byte, kWritten, 3);
    }
    at_ += stride_;
  }

 private:
  int64_t stride_, bytes_;
  const char* at_;
};

/// What is fetched while one tile is multiplied: rows of activations and of results beside the next
/// panel. Without it a tile waits for each of its rows once, and its results wait for memory to
/// take them: 13 % of a product of 2048 rows in bf16, 768 deep (Zen 4).
template <typename I, int kRows>
class TileFetch {
 public:
  static constexpr int64_t kStepBytes =
      kFetchStep<typename I::A> * static_cast<int64_t>(sizeof(typename I::A));

  /// For the tile at `first_row`.
  TileFetch(const GemmMultiply& g, int64_t first_row, Prefetch panel)
      : panel_(panel), results_(g.results, first_row), residual_(g.residual, first_row) {
    const int64_t behind = g.rows - first_row - kRows + g.next_rows;
    next_rows_ = behind < I::kTileRows ? behind : I::kTileRows;
  }

  /// Before every kFetchStep. A call would save and restore the tile's sums.
  [[gnu::always_inline]] void Step(const ActivationRows<typename I::A>& a) {
    for (int64_t line = 0; line < panel_.step_lines && panel_.next < panel_.end; ++line) {
      __builtin_prefetch(panel_.next, 0, 2);
      panel_.next += kCacheLineBytes;
    }
    a.template FetchBehind<kRows * I::kDigits, kStepBytes>(next_rows_ * I::kDigits);
    if (result_rows_ == 0) return;
    results_.Fetch<1>();
    residual_.Fetch<0>();
    --result_rows_;
  }

 private:
  Prefetch panel_;
  ResultRows results_, residual_;
  int64_t next_rows_;
  int64_t result_rows_ = kRows;
};

/// The results of a tile's rows that have no step of theirs, where k is short.
template <typename I>
[[gnu::noinline]] void FetchResults(const GemmMultiply& g, int64_t first_row, int64_t steps) {
  const int64_t end = g.rows - first_row < I::kTileRows ? g.rows : first_row + I::kTileRows;
  ResultRows results(g.results, first_row + steps), residual(g.residual, first_row + steps);
  for (int64_t row = first_row + steps; row < end; ++row) {
    results.Fetch<1>();
    residual.Fetch<0>();
  }
}

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
[[gnu::always_inline]] inline void AddProducts(const ActivationRows<typename I::A>& a,
                                               const typename I::B* b,
                                               TileSums<I, kRows, kVectors>& sums) {
  typename I::Operand weights[kVectors];
  for (int vector = 0; vector < kVectors; ++vector) {
    weights[vector] = I::template Weights<kOdd>(b, 0, vector);
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    const typename I::A* at = a[row] + kOdd;
    const typename I::Operand factor = kLast ? I::LastFactor(at) : I::Factor(at);
    for (int vector = 0; vector < kVectors; ++vector) {
      sums[row][vector] = I::MultiplyAdd(factor, weights[vector], sums[row][vector]);
    }
  }
}

/// What a tile's sums begin with: what they hold, or zeros. Reading zeros, laid out as sums are,
/// leaves one way into the loop over k, through which the sums stay in registers.
template <typename I>
const float* FirstSums(const GemmMultiply& g, const float* to) {
  alignas(64) static constexpr float kZeros[I::kTileRows * I::kVectors * I::kLanes] = {};
  return g.accumulate ? to : kZeros;
}

/// The last of an odd number of k.
template <typename I, int kVectors, int kRows>
[[gnu::noinline]] void AddLastProducts(const GemmMultiply& g, int64_t first_row) {
  constexpr int64_t kColumns = I::kVectors * I::kLanes;
  const auto* first = static_cast<const typename I::A*>(g.a) + first_row * g.a_stride + g.k - 1;
  float* to = g.sums + first_row * kColumns;
  TileSums<I, kRows, kVectors> sums;
  EachSum<kRows, kVectors>([&](int row, int vector) {
    sums[row][vector] = I::Load(to + row * kColumns + vector * I::kLanes);
  });
  const auto* b = static_cast<const typename I::B*>(g.b) + (g.k - 1) * kColumns;
  AddProducts<I, 0, kRows, kVectors, true>({first, g.a_stride}, b, sums);
  EachSum<kRows, kVectors>([&](int row, int vector) {
    I::Store(to + row * kColumns + vector * I::kLanes, sums[row][vector]);
  });
}

template <typename I, int kVectors, int kRows>
void MultiplyTile(const GemmMultiply& g, int64_t first_row, Prefetch panel) {
  constexpr int64_t kColumns = I::kVectors * I::kLanes;
  ActivationRows a(static_cast<const typename I::A*>(g.a) + first_row * g.a_stride, g.a_stride);
  const auto* b = static_cast<const typename I::B*>(g.b);
  const auto* const end = b + g.k / 2 * 2 * kColumns;
  float* to = g.sums + first_row * kColumns;
  const float* from = FirstSums<I>(g, to);
  TileFetch<I, kRows> fetch(g, first_row, panel);
  TileSums<I, kRows, kVectors> sums;
  EachSum<kRows, kVectors>([&](int row, int vector) {
    sums[row][vector] = I::Load(from + row * kColumns + vector * I::kLanes);
  });
  while (b < end) {
    fetch.Step(a);
    asm("" : "+m"(fetch));  // in memory meanwhile: the loop needs the registers
    constexpr int64_t kStep = kFetchStep<typename I::A> * kColumns;
    const auto* const step_end = end - b < kStep ? end : b + kStep;
    for (; b < step_end; b += 2 * kColumns) {
      AddProducts<I, 0, kRows, kVectors>(a, b, sums);
      if constexpr (!I::kPairs) AddProducts<I, 1, kRows, kVectors>(a, b, sums);
      a.Advance(2);
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
  if constexpr (requires { I::template MultiplyTile<kVectors, kRows>(g, first_row, panel); }) {
    I::template MultiplyTile<kVectors, kRows>(g, first_row, panel);
  } else {
    MultiplyTile<I, kVectors, kRows>(g, first_row, panel);
  }
}

template <typename I, int kVectors>
void MultiplyVectors(const GemmMultiply& g) {
  // What the caller reads next is fetched evenly over the tiles. With few rows a panel comes as
  // fast as memory gives it; fetching much ahead slows that down.
  const int64_t tiles = 1 + (g.rows - 1) / I::kTileRows;
  constexpr int64_t kStep = kFetchStep<typename I::A>;
  const int64_t pairs = g.k / 2, steps = g.k < kStep ? 1 : g.k / kStep;
  const int64_t lines = (g.next_bytes + kCacheLineBytes - 1) / kCacheLineBytes;
  int64_t tile_lines = (lines + tiles - 1) / tiles;
  if (tile_lines > pairs) tile_lines = pairs;
  Prefetch panel = {.next = static_cast<const char*>(g.next),
                    .step_lines = (tile_lines + steps - 1) / steps};
  const char* const end = panel.next + lines * kCacheLineBytes;
  for (int64_t row = 0; row < g.rows; row += I::kTileRows) {
    const int64_t left = end - panel.next, bytes = tile_lines * kCacheLineBytes;
    panel.end = panel.next + (left < bytes ? left : bytes);
    if (steps < I::kTileRows) FetchResults<I>(g, row, steps);
    MultiplyTileOf<I, kVectors, I::kTileRows>(g.rows - row, g, row, panel);
    panel.next = panel.end;
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

/// The panel that I's weights become, of fp32, each register as it enters a product.
template <typename I>
void WidenPanel(const GemmWiden& w) {
  auto* to = static_cast<float*>(w.to);
  for (int64_t pair = 0; pair < w.k / 2; ++pair) {
    for (int vector = 0; vector < I::kVectors; ++vector) {
      float* even = to + (2 * pair * I::kVectors + vector) * I::kLanes;
      I::Store(even, I::template Weights<0>(w.from, pair, vector));
      I::Store(even + I::kVectors * I::kLanes, I::template Weights<1>(w.from, pair, vector));
    }
  }
}

}  // namespace vernier
