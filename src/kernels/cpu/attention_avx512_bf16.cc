// Attention, AVX-512 F/BW/VL/DQ and BF16: both products by vdpbf16ps, two bf16 products per lane
// added to an fp32 sum. Queries, keys, values and unnormalised probabilities are bf16.
//
// Queries lie in the lanes: scores are keys times transposed queries, results come as channels
// times transposed probabilities. So softmax needs no sums or maxima across a register, neither
// product pads heads of 72 to 80, keys are packed as they lie, and a group of keys' scores become
// probabilities while they are in registers. Operands are units of two bf16 that follow each other
// along the sum.
// Packed: keys [key, unit of head_dim]; then values [pair of keys, channel], each unit a channel of
// two keys.
#include "kernels/cpu/attention_rows.h"
#include "kernels/cpu/vec_avx512.h"
#include "kernels/cpu/vec_math.h"

namespace vernier::avx512_bf16 {
namespace {

using V = avx512::Vec;

constexpr int64_t kWidth = V::kWidth;
/// Rows and vectors of a register tile: 18 sums. With 24 (6 x 4, 8 x 3) the stores at the end of
/// one tile hold up the next: 5 to 8 % slower at 36 units.
constexpr int kRows = 6;
constexpr int kVectors = 3;
constexpr int64_t kQueries = kVectors * kWidth;
/// Keys whose probabilities exist at a time, whole groups of kRows: with 48 queries they, the sums
/// and the queries share a first-level cache.
constexpr int64_t kKeyBlock = 120;
/// Probabilities may grow to 2^32 before their shift follows the largest score: far from overflow
/// (2^32 · 2^31 keys · 2^64), and after the first keys it hardly ever happens.
constexpr float kHeadroom = 32.0f;

int64_t UnitsOf(int64_t elements) { return (elements + 1) / 2; }
int64_t Padded(int64_t head_dim) { return RoundUp(head_dim, kWidth); }
int64_t KeyUnits(int64_t kv_len, int64_t head_dim) {
  return RoundUp(kv_len * UnitsOf(head_dim), kWidth);
}
uint16_t* Elements(float* units) { return reinterpret_cast<uint16_t*>(units); }

V Multiply(V a, V b, V sum) {
  return {
      _mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(a.v), reinterpret_cast<__m512bh>(b.v))};
}

/// 2^t within 7.5e-5 of itself, a 26th of what rounding to bf16 may change: a cubic, minimax in
/// relative error, on t's fraction. Minus infinity gives zero.
V PowerOfTwo(V t) {
  constexpr int kFraction = _MM_FROUND_TO_NEG_INF;  // t - floor(t)
  constexpr float kCubic[] = {0.99992520f, 0.69583353f, 0.22606717f, 0.07802452f};
  return {_mm512_scalef_ps(Horner(V{_mm512_reduce_ps(t.v, kFraction)}, kCubic).v, t.v)};
}

/// Units of two neighbouring keys: (first0, second0, first1, second1, …) as bf16.
V Pairs(V first, V second) {
  alignas(64) static constexpr uint16_t kPlaces[] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                     21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                     11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second.v, first.v));
  return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(_mm512_load_si512(kPlaces), both))};
}

V Where(__mmask16 mask, V chosen, V otherwise) {
  return {_mm512_mask_blend_ps(mask, otherwise.v, chosen.v)};
}
__mmask16 Above(V a, V b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ); }
__mmask16 IsMinusInfinity(V a) {
  return _mm512_cmp_ps_mask(a.v, V::Set(kMinusInfinity).v, _CMP_EQ_OQ);
}

int64_t PackedBytes(int64_t kv_len, int64_t head_dim) {
  // The last value row is written in whole vectors.
  return (KeyUnits(kv_len, head_dim) + UnitsOf(kv_len) * head_dim + kWidth) * 4;
}

void Pack(const AttentionPack& pack) noexcept {
  const int64_t units = UnitsOf(pack.head_dim);
  float* key_units = static_cast<float*>(pack.packed);
  float* to = key_units;
  for (int64_t key = 0; key < pack.kv_len; ++key, to += units) {
    to[units - 1] = 0.0f;
    PrepareRow<V>(pack.keys, key, pack.head_dim, pack.rotary, Elements(to));
  }
  to = key_units + KeyUnits(pack.kv_len, pack.head_dim);
  alignas(64) uint16_t low[kMaxHeadDim] = {}, high[kMaxHeadDim] = {};
  for (int64_t key = 0; key < pack.kv_len; key += 2, to += pack.head_dim) {
    PrepareRow<V>(pack.values, key, pack.head_dim, {}, low);
    if (key + 1 < pack.kv_len) {
      PrepareRow<V>(pack.values, key + 1, pack.head_dim, {}, high);
    } else {
      for (uint16_t& x : high) x = 0;
    }
    for (int64_t i = 0; i < pack.head_dim; i += kWidth) {
      V::Interleave(low + i, high + i, Elements(to + i));
    }
  }
}

/// What is known of each query; scores are in powers of two.
struct QueryStates {
  alignas(64) float shift[kQueries];    // probabilities are 2^(score - shift)
  alignas(64) float minus[kQueries];    // -shift; 0 while no key was seen
  alignas(64) float limit[kQueries];    // of scores that need no other shift
  alignas(64) float largest[kQueries];  // of the group of keys that does
  alignas(64) float total[kQueries];    // of probabilities, rounded as values meet them
};

/// A tile's part of the scratch.
struct Workspace {
  float* queries;        // [unit of head_dim, query]
  float* probabilities;  // [pair of keys of a block, query]
  float* sums;           // [channel, query]
  float* offsets;        // [key of a group, query]

  static int64_t Bytes(int64_t head_dim) {
    return kQueries * (UnitsOf(head_dim) + kKeyBlock / 2 + Padded(head_dim) + kRows) * 4;
  }
  static Workspace At(void* scratch, int64_t head_dim) {
    Workspace work;
    work.queries = static_cast<float*>(scratch);
    work.probabilities = work.queries + kQueries * UnitsOf(head_dim);
    work.sums = work.probabilities + kQueries * (kKeyBlock / 2);
    work.offsets = work.sums + kQueries * Padded(head_dim);
    return work;
  }
};

/// sums[row, query] (+)= the chain over k of a[row, k] · b[k, query].
template <int kCount, int kWide>
inline void Accumulate(V (&sums)[kCount][kWide], int64_t units, const float* a, int64_t row_stride,
                       int64_t unit_stride, const float* b) {
  for (int64_t k = 0; k < units; ++k, a += unit_stride, b += kQueries) {
    V right[kWide];
#pragma GCC unroll 4
    for (int v = 0; v < kWide; ++v) right[v] = V::Load(b + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
      const V left = V::Set(a[r * row_stride]);
#pragma GCC unroll 4
      for (int v = 0; v < kWide; ++v) sums[r][v] = Multiply(left, right[v], sums[r][v]);
    }
  }
}

/// Neighbouring keys, at most kRows, against all queries of a tile.
struct KeyGroup {
  int64_t units;
  const float* keys;
  const float* queries;
  const float* offsets;  // added to scores, minus infinity hides; null: none
  float scale;           // from products to powers of two
  QueryStates* states;
  float* probabilities;
};

/// False where scores are above the limit, which are then in states->largest; nothing else is done.
template <int kCount, int kWide>
bool Attend(const KeyGroup& group) {
  V scores[kCount][kWide];
#pragma GCC unroll 8
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kWide; ++v) scores[r][v] = V::Set(0.0f);
  }
  Accumulate(scores, group.units, group.keys, group.units, 1, group.queries);
  V scale = V::Set(group.scale);
  if (group.offsets != nullptr) {
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kWide; ++v) {
        const V offset = V::Load(group.offsets + r * kQueries + v * kWidth);
        scores[r][v] = Where(IsMinusInfinity(offset), offset, Fma(scores[r][v], scale, offset));
      }
    }
    scale = V::Set(1.0f);
  }
  QueryStates& states = *group.states;
  V largest[kWide];
  unsigned above = 0;
#pragma GCC unroll 4
  for (int v = 0; v < kWide; ++v) {
    largest[v] = scores[0][v];
#pragma GCC unroll 8
    for (int r = 1; r < kCount; ++r) largest[v] = Max(scores[r][v], largest[v]);
    largest[v] = largest[v] * scale;
    above |= Above(largest[v], V::Load(states.limit + v * kWidth));
  }
  if (above != 0) {
#pragma GCC unroll 4
    for (int v = 0; v < kWide; ++v) largest[v].Store(states.largest + v * kWidth);
    return false;
  }
  const V ones = {_mm512_castsi512_ps(_mm512_set1_epi32(0x3f803f80))};
#pragma GCC unroll 4
  for (int v = 0; v < kWide; ++v) {
    const V minus = V::Load(states.minus + v * kWidth);
    V total = V::Load(states.total + v * kWidth);
#pragma GCC unroll 4
    for (int r = 0; r < kCount; r += 2) {
      const V first = PowerOfTwo(Fma(scores[r][v], scale, minus));
      const V second =
          r + 1 < kCount ? PowerOfTwo(Fma(scores[r + 1][v], scale, minus)) : V::Set(0.0f);
      const V pair = Pairs(first, second);
      total = Multiply(pair, ones, total);
      pair.Store(group.probabilities + r / 2 * kQueries + v * kWidth);
    }
    total.Store(states.total + v * kWidth);
  }
  return true;
}

template <int kWide, int kCount = kRows>
bool AttendKeys(const KeyGroup& group, int64_t keys) {
  if constexpr (kCount > 1) {
    if (keys < kCount) return AttendKeys<kWide, kCount - 1>(group, keys);
  }
  return Attend<kCount, kWide>(group);
}

/// Adds a block's probabilities times its values to the sums, or begins them with it.
struct Mixture {
  int64_t units;  // pairs of keys
  const float* values;
  int64_t head_dim;
  const float* probabilities;
  bool begin;
  float* sums;
};

template <int kCount, int kWide>
void Mix(const Mixture& m) {
  V sums[kCount][kWide];
#pragma GCC unroll 8
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kWide; ++v) {
      sums[r][v] = m.begin ? V::Set(0.0f) : V::Load(m.sums + r * kQueries + v * kWidth);
    }
  }
  Accumulate(sums, m.units, m.values, 1, m.head_dim, m.probabilities);
  float* to = m.sums;
#pragma GCC unroll 8
  for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kWide; ++v) sums[r][v].Store(to + r * kQueries + v * kWidth);
  }
}

template <int kWide, int kCount = kRows>
void MixChannels(Mixture m, int64_t channels) {
  for (; channels >= kCount; channels -= kCount) {
    Mix<kCount, kWide>(m);
    m.values += kCount;
    m.sums += kCount * kQueries;
  }
  if constexpr (kCount > 1) {
    if (channels > 0) MixChannels<kWide, kCount - 1>(m, channels);
  }
}

/// Queries of one tile, kWide vectors of them. Each lane's operations follow from its own query and
/// all keys alone: blocks end earlier where another lane's shift changes, which leaves chains and
/// thereby bits as they are.
template <int kWide>
class TileRun {
 public:
  explicit TileRun(const AttentionTile& tile)
      : tile_(tile),
        units_(UnitsOf(tile.head_dim)),
        keys_(static_cast<const float*>(tile.packed)),
        values_(keys_ + KeyUnits(tile.kv_len, tile.head_dim)),
        work_(Workspace::At(tile.scratch, tile.head_dim)) {
    for (int64_t i = 0; i < kQueries; ++i) {
      states_.shift[i] = states_.limit[i] = kMinusInfinity;
      states_.minus[i] = states_.total[i] = 0.0f;
    }
  }

  void Run() {
    LoadQueries();
    const int64_t seen = VisibleKeys(tile_, tile_.rows - 1);
    for (int64_t first = 0; first < seen;) {
      const int64_t end = seen - first < kKeyBlock ? seen : first + kKeyBlock;
      const int64_t reached = Probabilities(first, end);
      if (reached > first) MixValues(first, reached);
      if (reached < end) RaiseShifts();
      first = reached;
    }
    if (!begun_) Clear(work_.sums, kQueries * Padded(tile_.head_dim));
    WriteRows();
  }

 private:
  void LoadQueries() {
    const int64_t stride = RoundUp(units_, kWidth);
    alignas(64) float rows[kWidth * kMaxHeadDim / 2];
    alignas(64) float last[kWidth * kWidth];
    Clear(rows, kWidth * stride);
    for (int64_t v = 0; v < kWide; ++v) {
      for (int64_t i = 0; i < kWidth; ++i) {
        const int64_t row = v * kWidth + i;
        if (row < tile_.rows) {
          PrepareRow<V>(tile_.queries, row, tile_.head_dim, tile_.rotary,
                        Elements(rows + i * stride));
        } else {
          Clear(rows + i * stride, units_);
        }
      }
      float* to = work_.queries + v * kWidth;
      for (int64_t unit = 0; unit < units_; unit += kWidth) {
        if (units_ - unit >= kWidth) {
          V::TransposeBlock(rows + unit, stride, to + unit * kQueries, kQueries);
          continue;
        }
        V::TransposeBlock(rows + unit, stride, last, kWidth);
        for (int64_t i = 0; i < units_ - unit; ++i) {
          V::Load(last + i * kWidth).Store(to + (unit + i) * kQueries);
        }
      }
    }
  }

  /// Probabilities of keys [first, end), as far as no score is above its limit: how far.
  int64_t Probabilities(int64_t first, int64_t end) {
    for (int64_t key = first, next; key < end; key = next) {
      next = end - key < kRows ? end : key + kRows;
      const bool offset = tile_.bias != nullptr || VisibleKeys(tile_, 0) < next;
      if (offset) SetOffsets(key, next);
      const KeyGroup group = {.units = units_,
                              .keys = keys_ + key * units_,
                              .queries = work_.queries,
                              .offsets = offset ? work_.offsets : nullptr,
                              .scale = tile_.scale * kLog2OfE,
                              .states = &states_,
                              .probabilities = work_.probabilities + (key - first) / 2 * kQueries};
      if (!AttendKeys<kWide>(group, next - key)) return key;
    }
    return end;
  }

  void SetOffsets(int64_t first, int64_t end) {
    for (int64_t query = 0; query < kWide * kWidth; ++query) {
      const int64_t visible = VisibleKeys(tile_, query);
      const bool biased = tile_.bias != nullptr && query < tile_.rows;
      const float* bias = biased ? tile_.bias + query * tile_.bias_stride : nullptr;
      for (int64_t key = first; key < end; ++key) {
        const float offset = biased ? bias[key] * kLog2OfE : 0.0f;
        work_.offsets[(key - first) * kQueries + query] = key < visible ? offset : kMinusInfinity;
      }
    }
  }

  void MixValues(int64_t first, int64_t end) {
    MixChannels<kWide>({.units = UnitsOf(end - first),
                        .values = values_ + first / 2 * tile_.head_dim,
                        .head_dim = tile_.head_dim,
                        .probabilities = work_.probabilities,
                        .begin = !begun_,
                        .sums = work_.sums},
                       tile_.head_dim);
    begun_ = true;
  }

  void RaiseShifts() {
    for (int64_t at = 0; at < kWide * kWidth; at += kWidth) {
      const V largest = V::Load(states_.largest + at), shift = V::Load(states_.shift + at);
      const __mmask16 rises = Above(largest, V::Load(states_.limit + at));
      if (rises == 0) continue;
      const V raised = Where(rises, largest, shift);
      const V keep = Where(rises, Exp2(shift - raised), V::Set(1.0f));
      raised.Store(states_.shift + at);
      (raised + V::Set(kHeadroom)).Store(states_.limit + at);
      Where(IsMinusInfinity(raised), V::Set(0.0f), V::Set(0.0f) - raised).Store(states_.minus + at);
      (V::Load(states_.total + at) * keep).Store(states_.total + at);
      if (!begun_) continue;
      float* sums = work_.sums + at;
      for (int64_t i = 0; i < tile_.head_dim; ++i, sums += kQueries) {
        (V::Load(sums) * keep).Store(sums);
      }
    }
  }

  void WriteRows() const {
    const int64_t padded = Padded(tile_.head_dim);
    alignas(64) float rows[kWidth * kMaxHeadDim];
    for (int64_t first = 0; first < tile_.rows; first += kWidth) {
      for (int64_t i = 0; i < padded; i += kWidth) {
        V::TransposeBlock(work_.sums + i * kQueries + first, kQueries, rows + i, padded);
      }
      const int64_t left = tile_.rows - first;
      for (int64_t i = 0; i < (left < kWidth ? left : kWidth); ++i) {
        WriteRow<V>(tile_, first + i, rows + i * padded, states_.total[first + i]);
      }
    }
  }

  const AttentionTile& tile_;
  const int64_t units_;
  const float* keys_;
  const float* values_;
  const Workspace work_;
  QueryStates states_;
  bool begun_ = false;  // sums hold something
};

template <int kWide = kVectors>
void RunTile(const AttentionTile& tile) {
  if constexpr (kWide > 1) {
    if (tile.rows <= (kWide - 1) * kWidth) return RunTile<kWide - 1>(tile);
  }
  TileRun<kWide>(tile).Run();
}

void Tile(const AttentionTile& tile) noexcept { RunTile(tile); }

}  // namespace

const AttentionKernels kAttention = {"avx512_bf16",    kQueries, kWidth, PackedBytes,
                                     Workspace::Bytes, Pack,     Tile};

}  // namespace vernier::avx512_bf16
