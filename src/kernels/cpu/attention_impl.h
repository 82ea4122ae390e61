// Attention over any Vec (vec_<isa>.h), for instruction-set files only. Operands of the two
// multiplications lie in 4-byte units: a float, or two neighbouring bf16 along the sum. `Units`
// (Float32Units below, or the file's own) says which:
//   Vec, Element (float or uint16_t), kPerUnit, Multiply(a, b, sum), Store(vec, Element*),
//   PowerOfTwo as exactly as Element needs it, and the register tile kRows × kVectors.
// Packed: keys in panels of kPanel = kVectors · width keys (the last narrower, in whole vectors),
// each [unit of head_dim, key]; then values [unit of keys, head_dim padded to whole vectors].
#pragma once

#include "kernels/cpu/attention.h"
#include "kernels/cpu/rotary_impl.h"
#include "kernels/cpu/vec_math.h"

namespace vernier {
namespace {

/// Keys whose scores exist at a time: 24 rows of 512 scores, a panel of keys and the sums stay in a
/// second-level cache beside a head's packed keys and values (PE-Lang-L: 600 KiB together in fp32).
constexpr int64_t kKeyBlock = 512;
/// A last block of at most so many keys joins the one before it: 1025 keys are 2 blocks.
constexpr int64_t kJoinedKeys = 16;
constexpr int64_t kScoreStride = kKeyBlock + kJoinedKeys;
constexpr float kLog2OfE = 1.44269504f;
constexpr float kMinusInfinity = -__builtin_inff();

inline int64_t RoundUp(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

template <class V>
struct Float32Units {
  using Vec = V;
  using Element = float;
  static constexpr int64_t kPerUnit = 1;
  static V Multiply(V a, V b, V sum) { return Fma(a, b, sum); }
  static void Store(V x, float* to) { x.Store(to); }
  static V PowerOfTwo(V t) { return Exp2(t); }
};

template <class Units>
struct AttentionVersion {
  using V = typename Units::Vec;
  using T = typename Units::Element;
  static constexpr int64_t kWidth = V::kWidth;
  static constexpr int64_t kPer = Units::kPerUnit;
  static constexpr int64_t kPanel = Units::kVectors * kWidth;
  static constexpr int64_t kTileRows = 4 * Units::kRows;
  static_assert(kKeyBlock % kPanel == 0 && kPanel % (kWidth * kPer) == 0);

  static int64_t UnitsOf(int64_t elements) { return (elements + kPer - 1) / kPer; }
  /// Units of a row of queries or keys in whole vectors.
  static int64_t RowUnits(int64_t head_dim) { return RoundUp(UnitsOf(head_dim), kWidth); }
  static int64_t KeyBytes(int64_t kv_len, int64_t head_dim) {
    return RoundUp(kv_len, kWidth) * RowUnits(head_dim) * 4;
  }
  static int64_t PackedBytes(int64_t kv_len, int64_t head_dim) {
    return KeyBytes(kv_len, head_dim) + UnitsOf(kv_len) * RoundUp(head_dim, kWidth) * 4;
  }
  static int64_t ScratchBytes(int64_t head_dim) {
    return kTileRows * 4 *
           (RowUnits(head_dim) + kScoreStride + kScoreStride / kPer + RoundUp(head_dim, kWidth) +
            3);
  }

  template <class In>
  static const In* Row(const AttentionRows& rows, int64_t row) {
    const In* base = static_cast<const In*>(rows.base);
    if (rows.blocks == nullptr) return base + row * rows.stride;
    return base + rows.blocks[row / kTokensPerKvBlock] * rows.block_stride +
           row % kTokensPerKvBlock * rows.stride;
  }

  /// One row, rotated where asked, as elements of the multiplication; `to` holds zeros already
  /// behind the row's last whole vector.
  template <class In>
  static void PrepareRow(const In* in, int64_t head_dim, const RotaryTable& table, int64_t token,
                         T* to) {
    if (table.cos != nullptr) return RotateHead<V>(in, table, token, head_dim / 2, to);
    ConvertRow(in, head_dim, to);
  }
  template <class In>
  static void ConvertRow(const In* in, int64_t head_dim, T* to) {
    for (int64_t i = 0; i < head_dim; i += kWidth) {
      StoreUpTo(LoadUpTo<V>(in + i, head_dim - i), to + i, head_dim - i);
    }
  }
  static void ConvertRow(const T* in, int64_t head_dim, T* to) {
    __builtin_memcpy(to, in, static_cast<uint64_t>(head_dim) * sizeof(T));
  }
  static void PrepareRow(const AttentionRows& rows, int64_t row, int64_t head_dim,
                         const RotaryTable& table, T* to) {
    if (rows.element == vernier::Element::kF32) {
      PrepareRow(Row<float>(rows, row), head_dim, table, row, to);
    } else {
      PrepareRow(Row<uint16_t>(rows, row), head_dim, table, row, to);
    }
  }

  static void Clear(float* at, int64_t units) {
    for (int64_t i = 0; i < units; ++i) at[i] = 0.0f;
  }

  static void PackKeys(const AttentionPack& pack) {
    const int64_t units = RowUnits(pack.head_dim);
    const int64_t all = RoundUp(pack.kv_len, kWidth);
    alignas(64) float rows[kWidth * RowUnitsAtMost()];
    Clear(rows, kWidth * units);
    for (int64_t first = 0; first < all; first += kWidth) {
      const int64_t panel = first / kPanel * kPanel;
      const int64_t panel_width = all - panel < kPanel ? all - panel : kPanel;
      for (int64_t i = 0; i < kWidth; ++i) {
        float* row = rows + i * units;
        if (first + i < pack.kv_len) {
          PrepareRow(pack.keys, first + i, pack.head_dim, pack.rotary, Elements(row));
        } else {
          Clear(row, units);
        }
      }
      float* to = static_cast<float*>(pack.packed) + panel * units + (first - panel);
      for (int64_t unit = 0; unit < units; unit += kWidth) {
        V::TransposeBlock(rows + unit, units, to + unit * panel_width, panel_width);
      }
    }
  }

  static void PackValues(const AttentionPack& pack) {
    const int64_t padded = RoundUp(pack.head_dim, kWidth);
    char* base = static_cast<char*>(pack.packed) + KeyBytes(pack.kv_len, pack.head_dim);
    if constexpr (kPer == 1) {
      float* to = reinterpret_cast<float*>(base);
      for (int64_t key = 0; key < pack.kv_len; ++key, to += padded) {
        for (int64_t i = pack.head_dim; i < padded; ++i) to[i] = 0.0f;
        PrepareRow(pack.values, key, pack.head_dim, {}, to);
      }
    } else {
      uint16_t* to = reinterpret_cast<uint16_t*>(base);
      alignas(64) uint16_t low[kMaxHeadDim] = {}, high[kMaxHeadDim] = {};
      for (int64_t key = 0; key < pack.kv_len; key += 2, to += 2 * padded) {
        PrepareRow(pack.values, key, pack.head_dim, {}, low);
        if (key + 1 < pack.kv_len) {
          PrepareRow(pack.values, key + 1, pack.head_dim, {}, high);
        } else {
          for (uint16_t& x : high) x = 0;
        }
        for (int64_t i = 0; i < padded; i += kWidth) V::Interleave(low + i, high + i, to + 2 * i);
      }
    }
  }

  static void Pack(const AttentionPack& pack) noexcept {
    PackKeys(pack);
    PackValues(pack);
  }

  /// c[row, column] = sum over k of a[row, k] · b[k, column], added to keep[row] · c where `keep`
  /// is given. Every sum is one chain in the order of k.
  struct Product {
    int64_t units;
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
    for (int64_t k = 0; k < p.units; ++k, b += p.b_stride) {
      V right[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) right[v] = V::Load(b + v * kWidth);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const V left = V::Set(p.a[r * p.a_stride + k]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          sums[r][v] = Units::Multiply(left, right[v], sums[r][v]);
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

  template <int kVectors, int kRows = Units::kRows>
  static void MultiplyRows(Product p, int64_t rows) {
    if constexpr (kRows == Units::kRows) {
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

  template <int kVectors = Units::kVectors>
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
                          const float* bias, Softmax& state, T* probabilities) {
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
      const V p = Units::PowerOfTwo(Fma(x, V::Set(scale), minus_shift));
      sum = sum + p;
      Units::Store(p, probabilities + i);
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
    const int64_t units = RowUnits(tile.head_dim);
    const int64_t all = RoundUp(tile.kv_len, kWidth);
    for (int64_t key = 0; key < keys; key += kPanel) {
      const int64_t panel = first_key + key;
      const int64_t width = all - panel < kPanel ? all - panel : kPanel;
      MultiplyColumns({.units = UnitsOf(tile.head_dim),
                       .a = q,
                       .a_stride = units,
                       .b = static_cast<const float*>(tile.packed) + panel * units,
                       .b_stride = width,
                       .keep = nullptr,
                       .c = scores + key,
                       .c_stride = kScoreStride},
                      tile.rows, width / kWidth);
    }
  }

  static void Mix(const AttentionTile& tile, int64_t first_key, int64_t keys,
                  const float* probabilities, const float* keep, float* sums) {
    const int64_t padded = RoundUp(tile.head_dim, kWidth);
    const char* packed = static_cast<const char*>(tile.packed);
    const float* values =
        reinterpret_cast<const float*>(packed + KeyBytes(tile.kv_len, tile.head_dim)) +
        first_key / kPer * padded;
    // Equal shares: the product of a single vector waits for its operands (80 columns in 64 and 16
    // take a third more time than in 48 and 32).
    const int64_t shares = (padded + kPanel - 1) / kPanel;
    const int64_t share = RoundUp((padded + shares - 1) / shares, kWidth);
    for (int64_t column = 0; column < padded; column += share) {
      const int64_t width = padded - column < share ? padded - column : share;
      MultiplyColumns({.units = UnitsOf(keys),
                       .a = probabilities,
                       .a_stride = kScoreStride / kPer,
                       .b = values + column,
                       .b_stride = padded,
                       .keep = first_key == 0 ? nullptr : keep,
                       .c = sums + column,
                       .c_stride = padded},
                      tile.rows, width / kWidth);
    }
  }

  template <class Out>
  static void WriteRow(const float* sums, float total, int64_t head_dim, Out* out) {
    const V factor = V::Set(total == 0.0f ? 0.0f : 1.0f / total);
    for (int64_t i = 0; i < head_dim; i += kWidth) {
      StoreUpTo(V::Load(sums + i) * factor, out + i, head_dim - i);
    }
  }

  static int64_t VisibleKeys(const AttentionTile& tile, int64_t row) {
    if (!tile.causal) return tile.kv_len;
    const int64_t keys = tile.first_query + row + 1 + tile.kv_len - tile.query_len;
    return keys < 0 ? 0 : (keys < tile.kv_len ? keys : tile.kv_len);
  }

  static void Tile(const AttentionTile& tile) noexcept {
    const int64_t units = RowUnits(tile.head_dim);
    const int64_t padded = RoundUp(tile.head_dim, kWidth);
    float* q = static_cast<float*>(tile.scratch);
    float* scores = q + kTileRows * units;
    float* narrow = scores + kTileRows * kScoreStride;
    float* probabilities = kPer == 1 ? scores : narrow;
    float* sums = narrow + kTileRows * kScoreStride / kPer;
    float* keep = sums + kTileRows * padded;
    Softmax states[kTileRows];

    Clear(q, tile.rows * units);
    Clear(sums, tile.rows * padded);
    for (int64_t row = 0; row < tile.rows; ++row) {
      PrepareRow(tile.queries, row, tile.head_dim, tile.rotary, Elements(q + row * units));
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
        keep[row] = SoftmaxRow(
            scores + row * kScoreStride, visible < 0 ? 0 : (visible < keys ? visible : keys), keys,
            tile.scale, bias, states[row], Elements(probabilities + row * (kScoreStride / kPer)));
      }
      Mix(tile, first, keys, probabilities, keep, sums);
    }
    for (int64_t row = 0; row < tile.rows; ++row) {
      const int64_t at = row * tile.out_stride;
      if (tile.out_element == vernier::Element::kF32) {
        WriteRow(sums + row * padded, states[row].sum, tile.head_dim,
                 static_cast<float*>(tile.out) + at);
      } else {
        WriteRow(sums + row * padded, states[row].sum, tile.head_dim,
                 static_cast<uint16_t*>(tile.out) + at);
      }
    }
  }

  static constexpr AttentionKernels Kernels(const char* name) {
    return {name, kTileRows, Units::kRows, PackedBytes, ScratchBytes, Pack, Tile};
  }

 private:
  static constexpr int64_t RowUnitsAtMost() { return kMaxHeadDim / kPer; }
  static T* Elements(float* units) { return reinterpret_cast<T*>(units); }
};

}  // namespace
}  // namespace vernier
