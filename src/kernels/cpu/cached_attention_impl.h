// Attention over a block of a cache for any Vec (vec_<isa>.h), for instruction-set files only. One
// query keeps its sums in registers while the values stream by.
#pragma once

#include "kernels/cpu/cached_attention.h"
#include "kernels/cpu/vec_math.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

constexpr int64_t kLineBytes = 64;

// Row `row` of what is read next, a row ahead of which nothing is known to be in the cache.
inline void FetchRow(const void* rows, int64_t row, int64_t row_bytes) {
  if (rows == nullptr) return;
  const char* from = static_cast<const char*>(rows) + row * row_bytes;
  for (int64_t at = 0; at < row_bytes; at += kLineBytes) __builtin_prefetch(from + at, 0, 2);
}

template <class V, class T>
inline void DotProducts(const CachedBlock& block, const float* q, float* scores) {
  constexpr int64_t kTogether = 4;  // independent sums hide the latency of the additions
  const int64_t dim = block.head_dim;
  const T* keys = static_cast<const T*>(block.keys);
  const int64_t row_bytes = dim * static_cast<int64_t>(sizeof(T));
  int64_t t = 0;
  for (; t + kTogether <= block.tokens; t += kTogether) {
    V sums[kTogether] = {V::Set(0.0f), V::Set(0.0f), V::Set(0.0f), V::Set(0.0f)};
    for (int64_t c = 0; c < dim; c += V::kWidth) {
      const V factor = LoadUpTo<V>(q + c, dim - c);
      for (int64_t i = 0; i < kTogether; ++i) {
        sums[i] = Fma(factor, LoadUpTo<V>(keys + (t + i) * dim + c, dim - c), sums[i]);
      }
    }
    for (int64_t i = 0; i < kTogether; ++i) {
      scores[t + i] = sums[i].Sum();
      FetchRow(block.next_keys, t + i, row_bytes);
    }
  }
  for (; t < block.tokens; ++t) {
    V sum = V::Set(0.0f);
    for (int64_t c = 0; c < dim; c += V::kWidth) {
      sum = Fma(LoadUpTo<V>(q + c, dim - c), LoadUpTo<V>(keys + t * dim + c, dim - c), sum);
    }
    scores[t] = sum.Sum();
    FetchRow(block.next_keys, t, row_bytes);
  }
}

// Columns `first` to first + kVectors * kWidth of the sums; `count` of them exist.
template <class V, class T, int kVectors>
inline void MixColumns(const CachedBlock& block, const float* weights, float keep, int64_t first,
                       int64_t count, float* sums) {
  V mixed[kVectors];
  for (int i = 0; i < kVectors; ++i) {
    const int64_t at = i * V::kWidth;
    mixed[i] = keep == 0.0f ? V::Set(0.0f) : LoadUpTo<V>(sums + at, count - at) * V::Set(keep);
  }
  const T* values = static_cast<const T*>(block.values) + first;
  const int64_t row_bytes = block.head_dim * static_cast<int64_t>(sizeof(T));
  for (int64_t t = 0; t < block.tokens; ++t) {
    const V weight = V::Set(weights[t]);
    const T* row = values + t * block.head_dim;
    for (int i = 0; i < kVectors; ++i) {
      const int64_t at = i * V::kWidth;
      mixed[i] = Fma(weight, LoadUpTo<V>(row + at, count - at), mixed[i]);
    }
    if (first == 0) FetchRow(block.next_values, t, row_bytes);
  }
  for (int i = 0; i < kVectors; ++i) {
    const int64_t at = i * V::kWidth;
    StoreUpTo(mixed[i], sums + at, count - at);
  }
}

template <class V, class T>
inline void Mix(const CachedBlock& block, const float* weights, float keep, float* sums) {
  constexpr int64_t kWide = 4 * V::kWidth;
  int64_t first = 0;
  for (; first + kWide <= block.head_dim; first += kWide) {
    MixColumns<V, T, 4>(block, weights, keep, first, kWide, sums + first);
  }
  for (; first < block.head_dim; first += V::kWidth) {
    const int64_t left = block.head_dim - first;
    MixColumns<V, T, 1>(block, weights, keep, first, left < V::kWidth ? left : V::kWidth,
                        sums + first);
  }
}

template <class V, class T>
inline void TakeBlock(const CachedBlock& block, CachedQuery& query) {
  alignas(64) float scores[kCachedBlockTokens];
  DotProducts<V, T>(block, query.q, scores);
  if (block.bias != nullptr) {
    for (int64_t t = 0; t < block.tokens; ++t) scores[t] += block.bias[-t];
  }
  const bool first = query.total == 0.0f;
  float top = first ? scores[0] : query.top;
  for (int64_t t = 0; t < block.tokens; ++t) top = scores[t] > top ? scores[t] : top;
  float keep[V::kWidth];
  Exp(V::Set(query.top - top)).Store(keep);
  if (first) keep[0] = 0.0f;
  V total = V::Set(0.0f);
  for (int64_t t = 0; t < block.tokens; t += V::kWidth) {
    const int64_t left = block.tokens - t;
    V weight = Exp(LoadUpTo<V>(scores + t, left) - V::Set(top));
    if (left < V::kWidth) weight = weight.FirstOr(left, V::Set(0.0f));
    total = total + weight;
    StoreUpTo(weight, scores + t, left);
  }
  query.top = top;
  query.total = query.total * keep[0] + total.Sum();
  Mix<V, T>(block, scores, keep[0], query.sums);
}

template <class V>
inline void TakeBlockOf(const CachedBlock& block, CachedQuery& query) {
  if (block.element == Element::kF32) {
    TakeBlock<V, float>(block, query);
  } else {
    TakeBlock<V, uint16_t>(block, query);
  }
}

}  // namespace
}  // namespace vernier
