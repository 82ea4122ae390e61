// What every form of attention does row by row, over any Vec (vec_<isa>.h): finds rows, makes
// elements of the multiplication of them, counts visible keys, writes results. For instruction-set
// files only.
#pragma once

#include "kernels/cpu/attention.h"
#include "kernels/cpu/rotary_impl.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

constexpr float kLog2OfE = 1.44269504f;
constexpr float kMinusInfinity = -__builtin_inff();

inline int64_t RoundUp(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

inline void Clear(float* at, int64_t count) {
  for (int64_t i = 0; i < count; ++i) at[i] = 0.0f;
}

template <class In>
inline const In* Row(const AttentionRows& rows, int64_t row) {
  const In* base = static_cast<const In*>(rows.base);
  if (rows.blocks == nullptr) return base + row * rows.stride;
  return base + rows.blocks[row / kTokensPerKvBlock] * rows.block_stride +
         row % kTokensPerKvBlock * rows.stride;
}

/// Begins to load a row that will be read soon. Rows of a head lie a whole token apart, mostly each
/// in a page of its own, where the processor foresees nothing; past the end nothing happens.
template <class T>
inline void Fetch(const T* row, int64_t count) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = 0; i < count; i += kLine) __builtin_prefetch(row + i);
  __builtin_prefetch(row + count - 1);
}

template <class V, class In, class Out>
inline void ConvertRow(const In* in, int64_t head_dim, Out* to) {
  if constexpr (__is_same(In, Out)) {
    __builtin_memcpy(to, in, static_cast<uint64_t>(head_dim) * sizeof(Out));
  } else {
    for (int64_t i = 0; i < head_dim; i += V::kWidth) {
      StoreUpTo(LoadUpTo<V>(in + i, head_dim - i), to + i, head_dim - i);
    }
  }
}

/// One row, rotated where asked, as head_dim elements of the multiplication (float or bf16).
template <class V, class Out>
inline void PrepareRow(const AttentionRows& rows, int64_t row, int64_t head_dim,
                       const RotaryTable& table, Out* to) {
  constexpr int64_t kAhead = 8;  // rows: a hundred cycles' work or more
  const auto prepare = [&](const auto* in) {
    if (rows.blocks == nullptr) Fetch(in + kAhead * rows.stride, head_dim);
    if (table.cos != nullptr) {
      Fetch(table.cos + (row + kAhead) * table.stride, head_dim / 2);
      Fetch(table.sin + (row + kAhead) * table.stride, head_dim / 2);
    }
    if (table.cos != nullptr) return RotateHead<V>(in, table, row, head_dim / 2, to);
    ConvertRow<V>(in, head_dim, to);
  };
  if (rows.element == Element::kF32) return prepare(Row<float>(rows, row));
  prepare(Row<uint16_t>(rows, row));
}

inline int64_t VisibleKeys(const AttentionTile& tile, int64_t row) {
  if (!tile.causal) return tile.kv_len;
  const int64_t keys = tile.first_query + row + 1 + tile.kv_len - tile.query_len;
  return keys < 0 ? 0 : (keys < tile.kv_len ? keys : tile.kv_len);
}

/// One row of results from its sums over values, in whole vectors, and their weights' total.
template <class V>
inline void WriteRow(const AttentionTile& tile, int64_t row, const float* sums, float total) {
  const auto write = [&](auto* out) {
    const V factor = V::Set(total == 0.0f ? 0.0f : 1.0f / total);
    for (int64_t i = 0; i < tile.head_dim; i += V::kWidth) {
      StoreUpTo(V::Load(sums + i) * factor, out + i, tile.head_dim - i);
    }
  };
  const int64_t at = row * tile.out_stride;
  if (tile.out_element == Element::kF32) return write(static_cast<float*>(tile.out) + at);
  write(static_cast<uint16_t*>(tile.out) + at);
}

}  // namespace
}  // namespace vernier
