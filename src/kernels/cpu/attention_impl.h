// Attention over any Vec (vec_<isa>.h), multiplying fp32, for instruction-set files only. Keys lie
// in the lanes: a register holds one query's scores of neighbouring keys, so that few queries waste
// nothing. `Registers` says Vec and the register tile kRows x kVectors.
// Packed: keys in panels of kPanel = kVectors · width keys (the last narrower, in whole vectors),
// each [head_dim in whole vectors, key]; then values [key, head_dim in whole vectors].
#pragma once

#include "kernels/cpu/attention_rows.h"
#include "kernels/cpu/vec_math.h"

namespace vernier {
namespace {

/// Keys whose scores exist at a time: 24 rows of 512 scores, a panel of keys and the sums stay in a
/// second-level cache beside a head's packed keys and values (PE-Lang-L: 600 KiB together in fp32).
constexpr int64_t kKeyBlock = 512;
/// A last block of at most so many keys joins the one before it: 1025 keys are 2 blocks.
constexpr int64_t kJoinedKeys = 16;
constexpr int64_t kScoreStride = kKeyBlock + kJoinedKeys;

template <class Registers>
struct AttentionVersion {
  using V = typename Registers::Vec;
  static constexpr int64_t kWidth = V::kWidth;
  static constexpr int64_t kPanel = Registers::kVectors * kWidth;
  static constexpr int64_t kTileRows = 4 * Registers::kRows;
  static_assert(kKeyBlock % kPanel == 0);

  static int64_t Padded(int64_t head_dim) { return RoundUp(head_dim, kWidth); }
  static int64_t KeyBytes(int64_t kv_len, int64_t head_dim) {
    return RoundUp(kv_len, kWidth) * Padded(head_dim) * 4;
  }
  static int64_t PackedBytes(int64_t kv_len, int64_t head_dim) {
    return KeyBytes(kv_len, head_dim) + kv_len * Padded(head_dim) * 4;
  }
  static int64_t ScratchBytes(int64_t head_dim) {
    return kTileRows * 4 * (2 * Padded(head_dim) + kScoreStride + 1);
  }

  static void PackKeys(const AttentionPack& pack) {
    const int64_t padded = Padded(pack.head_dim);
    const int64_t all = RoundUp(pack.kv_len, kWidth);
    alignas(64) float rows[kWidth * kMaxHeadDim];
    Clear(rows, kWidth * padded);
    for (int64_t first = 0; first < all; first += kWidth) {
      const int64_t panel = first / kPanel * kPanel;
      const int64_t panel_width = all - panel < kPanel ? all - panel : kPanel;
      for (int64_t i = 0; i < kWidth; ++i) {
        float* row = rows + i * padded;
        if (first + i < pack.kv_len) {
          PrepareRow<V>(pack.keys, first + i, pack.head_dim, pack.rotary, row);
        } else {
          Clear(row, padded);
        }
      }
      float* to = static_cast<float*>(pack.packed) + panel * padded + (first - panel);
      for (int64_t unit = 0; unit < padded; unit += kWidth) {
        V::TransposeBlock(rows + unit, padded, to + unit * panel_width, panel_width);
      }
    }
  }

  static void PackValues(const AttentionPack& pack) {
    const int64_t padded = Padded(pack.head_dim);
    char* base = static_cast<char*>(pack.packed) + KeyBytes(pack.kv_len, pack.head_dim);
    float* to = reinterpret_cast<float*>(base);
    for (int64_t key = 0; key < pack.kv_len; ++key, to += padded) {
      Clear(to + pack.head_dim, padded - pack.head_dim);
      PrepareRow<V>(pack.values, key, pack.head_dim, {}, to);
    }
  }

  static void Pack(const AttentionPack& pack) noexcept {
    PackKeys(pack);
    PackValues(pack);
  }

  /// c[row, column] = sum over k of a[row, k] · b[k, column], added to keep[row] · c where `keep`
  /// is given. Every sum is one chain in the order of k.
  struct Product {
    int64_t terms;
    const float* a;
    int64_t a_stride;
    const float* b;
    int64_t b_stride;
    const float* keep;
    float* c;
    int64_t c_stride;
  };

  template <int kRows, int kVectors>
  static void Multiply(const Product& p) {
    V sums[kRows][kVectors];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = V::Set(0.0f);
    }
    const float* b = p.b;
    for (int64_t k = 0; k < p.terms; ++k, b += p.b_stride) {
      V right[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) right[v] = V::Load(b + v * kWidth);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const V left = V::Set(p.a[r * p.a_stride + k]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          sums[r][v] = Fma(left, right[v], sums[r][v]);
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      float* c = p.c + r * p.c_stride;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        V sum = sums[r][v];
        if (p.keep != nullptr) sum = Fma(V::Set(p.keep[r]), V::Load(c + v * kWidth), sum);
        sum.Store(c + v * kWidth);
      }
    }
  }

  template <int kVectors, int kRows = Registers::kRows>
  static void MultiplyRows(Product p, int64_t rows) {
    if constexpr (kRows == Registers::kRows) {
      for (; rows >= kRows; rows -= kRows) {
        Multiply<kRows, kVectors>(p);
        p.a += kRows * p.a_stride;
        p.c += kRows * p.c_stride;
        if (p.keep != nullptr) p.keep += kRows;
      }
    } else if (rows == kRows) {
      return Multiply<kRows, kVectors>(p);
    }
    if constexpr (kRows > 1) MultiplyRows<kVectors, kRows - 1>(p, rows);
  }

  template <int kVectors = Registers::kVectors>
  static void MultiplyColumns(const Product& p, int64_t rows, int64_t vectors) {
    if constexpr (kVectors > 1) {
      if (vectors < kVectors) return MultiplyColumns<kVectors - 1>(p, rows, vectors);
    }
    MultiplyRows<kVectors>(p, rows);
  }

  struct Softmax {
    float shift = kMinusInfinity;  // the running maximum of scores, in powers of two
    float sum = 0.0f;
  };

  /// Turns one row's scores into unnormalised probabilities, `keys` of them (zeros from `visible`
  /// on, up to a whole vector). Returns what earlier sums of this row must be multiplied by.
  static float SoftmaxRow(float* scores, int64_t visible, int64_t keys, float scale,
                          const float* bias, Softmax& state) {
    const V nothing = V::Set(kMinusInfinity);
    if (bias != nullptr) {
      for (int64_t i = 0; i < visible; i += kWidth) {
        Fma(V::Load(scores + i), V::Set(scale), LoadUpTo<V>(bias + i, visible - i))
            .Store(scores + i);
      }
      scale = 1.0f;
    }
    scale *= kLog2OfE;
    V largest = nothing;
    for (int64_t i = 0; i < visible; i += kWidth) {
      V x = V::Load(scores + i);
      if (visible - i < kWidth) x = x.FirstOr(visible - i, nothing);
      largest = Max(largest, x);
    }
    const float block_shift = largest.Max() * scale;
    const float shift = block_shift > state.shift ? block_shift : state.shift;
    // A row that has seen no key yet: any finite shift makes its probabilities zero.
    const V minus_shift = V::Set(shift == kMinusInfinity ? 0.0f : -shift);
    V sum = V::Set(0.0f);
    for (int64_t i = 0; i < keys; i += kWidth) {
      V x = V::Load(scores + i);
      if (visible - i < kWidth) x = x.FirstOr(visible > i ? visible - i : 0, nothing);
      const V p = Exp2(Fma(x, V::Set(scale), minus_shift));
      sum = sum + p;
      p.Store(scores + i);
    }
    float keep[kWidth];
    Exp2(V::Set(state.shift) + minus_shift).Store(keep);
    if (shift == state.shift) keep[0] = 1.0f;
    state.sum = state.sum * keep[0] + sum.Sum();
    state.shift = shift;
    return keep[0];
  }

  static void Scores(const AttentionTile& tile, int64_t first_key, int64_t keys, const float* q,
                     float* scores) {
    const int64_t padded = Padded(tile.head_dim);
    const int64_t all = RoundUp(tile.kv_len, kWidth);
    for (int64_t key = 0; key < keys; key += kPanel) {
      const int64_t panel = first_key + key;
      const int64_t width = all - panel < kPanel ? all - panel : kPanel;
      MultiplyColumns({.terms = tile.head_dim,
                       .a = q,
                       .a_stride = padded,
                       .b = static_cast<const float*>(tile.packed) + panel * padded,
                       .b_stride = width,
                       .keep = nullptr,
                       .c = scores + key,
                       .c_stride = kScoreStride},
                      tile.rows, width / kWidth);
    }
  }

  static void Mix(const AttentionTile& tile, int64_t first_key, int64_t keys,
                  const float* probabilities, const float* keep, float* sums) {
    const int64_t padded = Padded(tile.head_dim);
    const char* packed = static_cast<const char*>(tile.packed);
    const float* values =
        reinterpret_cast<const float*>(packed + KeyBytes(tile.kv_len, tile.head_dim)) +
        first_key * padded;
    // Equal shares: the product of a single vector waits for its operands (80 columns in 64 and 16
    // take a third more time than in 48 and 32).
    const int64_t shares = (padded + kPanel - 1) / kPanel;
    const int64_t share = RoundUp((padded + shares - 1) / shares, kWidth);
    for (int64_t column = 0; column < padded; column += share) {
      const int64_t width = padded - column < share ? padded - column : share;
      MultiplyColumns({.terms = keys,
                       .a = probabilities,
                       .a_stride = kScoreStride,
                       .b = values + column,
                       .b_stride = padded,
                       .keep = first_key == 0 ? nullptr : keep,
                       .c = sums + column,
                       .c_stride = padded},
                      tile.rows, width / kWidth);
    }
  }

  static void Tile(const AttentionTile& tile) noexcept {
    const int64_t padded = Padded(tile.head_dim);
    float* q = static_cast<float*>(tile.scratch);
    float* scores = q + kTileRows * padded;
    float* sums = scores + kTileRows * kScoreStride;
    float* keep = sums + kTileRows * padded;
    Softmax states[kTileRows];

    Clear(sums, tile.rows * padded);
    for (int64_t row = 0; row < tile.rows; ++row) {
      PrepareRow<V>(tile.queries, row, tile.head_dim, tile.rotary, q + row * padded);
    }
    const int64_t seen = VisibleKeys(tile, tile.rows - 1);
    // Blocks follow from kv_len alone, so that a row's sums do not depend on its tile.
    for (int64_t first = 0, end; first < seen; first = end) {
      end = tile.kv_len - first <= kScoreStride ? tile.kv_len : first + kKeyBlock;
      const int64_t keys = (seen < end ? seen : end) - first;
      Scores(tile, first, keys, q, scores);
      for (int64_t row = 0; row < tile.rows; ++row) {
        const int64_t visible = VisibleKeys(tile, row) - first;
        const float* bias = tile.bias;
        if (bias != nullptr) bias += row * tile.bias_stride + first;
        keep[row] = SoftmaxRow(scores + row * kScoreStride,
                               visible < 0 ? 0 : (visible < keys ? visible : keys), keys,
                               tile.scale, bias, states[row]);
      }
      Mix(tile, first, keys, scores, keep, sums);
    }
    for (int64_t row = 0; row < tile.rows; ++row) {
      WriteRow<V>(tile, row, sums + row * padded, states[row].sum);
    }
  }

  static constexpr AttentionKernels Kernels(const char* name) {
    return {name, kTileRows, Registers::kRows, PackedBytes, ScratchBytes, Pack, Tile};
  }
};

}  // namespace
}  // namespace vernier
