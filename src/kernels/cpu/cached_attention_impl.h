// Attention over a block of a cache for any Vec (vec_<isa>.h), for instruction-set files only. One
// query keeps its sums in registers while the values stream by.
#pragma once

#include "kernels/cpu/cached_attention.h"
#include "kernels/cpu/vec_math.h"
#include "kernels/cpu/vec_rows.h"

namespace vernier {
namespace {

constexpr int64_t kLineBytes = 64;

inline void Fetch(const void* memory, int64_t bytes) {
  const char* from = static_cast<const char*>(memory);
  for (int64_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(from + at);
}

// Which of several passes over a block this is. Each fetches its share of the next block, so that
// few lines are asked for at a time: more than a core waits for are dropped.
struct Pass {
  int64_t index, passes;

  bool Fetches(int64_t turn) const { return turn % passes == index; }
};

// Queries that one pass over keys or values serves: as many sums as registers hold.
template <class V>
constexpr int kQueriesTogether = V::kWidth == 8 ? 2 : 4;

constexpr int64_t kKeysTogether = 4;

/// Scores of four keys, the last of which may be one several times.
template <class V, class T, int kQueries>
inline void DotProducts(const T* const (&keys)[kKeysTogether], const CachedQuery* queries,
                        int64_t dim, float (*scores)[kKeysTogether]) {
  V sums[kQueries][kKeysTogether];
  for (auto& of_query : sums) {
    for (V& sum : of_query) sum = V::Set(0.0f);
  }
  const auto add = [&](int64_t c, auto load) {
    V key[kKeysTogether];
    for (int i = 0; i < kKeysTogether; ++i) key[i] = load(keys[i] + c);
    for (int query = 0; query < kQueries; ++query) {
      const V factor = load(queries[query].q + c);
      for (int i = 0; i < kKeysTogether; ++i) {
        sums[query][i] = Fma(factor, key[i], sums[query][i]);
      }
    }
  };
  int64_t c = 0;
  for (; c + V::kWidth <= dim; c += V::kWidth) {
    add(c, [](const auto* from) { return V::Load(from); });
  }
  if (c < dim) {
    add(c, [dim, c](const auto* from) { return V::LoadFirst(from, dim - c); });
  }
  for (int query = 0; query < kQueries; ++query) V::StoreSums(sums[query], scores[query]);
}

template <class V, class T, int kQueries>
inline void Scores(const CachedBlock& block, const CachedQuery* queries, Pass pass,
                   float (*scores)[kCachedBlockTokens]) {
  const int64_t dim = block.head_dim, row_bytes = dim * static_cast<int64_t>(sizeof(T));
  const T* rows = static_cast<const T*>(block.keys);
  for (int64_t t = 0; t < block.tokens; t += kKeysTogether) {
    const T* keys[kKeysTogether];
    for (int64_t i = 0; i < kKeysTogether; ++i) {
      keys[i] = rows + (t + i < block.tokens ? t + i : block.tokens - 1) * dim;
    }
    if (block.next_keys != nullptr && pass.Fetches(t / kKeysTogether)) {
      Fetch(static_cast<const T*>(block.next_keys) + t * dim, kKeysTogether * row_bytes);
    }
    float dots[kQueries][kKeysTogether];
    DotProducts<V, T, kQueries>(keys, queries, dim, dots);
    for (int query = 0; query < kQueries; ++query) {
      __builtin_memcpy(scores[query] + t, dots[query], sizeof(dots[query]));
    }
  }
}

/// Scores become weights, exp(score - top); returns what earlier sums are multiplied by.
template <class V>
inline float Weigh(CachedQuery& query, int64_t tokens, float* scores) {
  if (query.bias != nullptr) {
    for (int64_t t = 0; t < tokens; ++t) scores[t] += query.bias[-t];
  }
  const bool first = query.total == 0.0f;
  V tops = V::Set(first ? scores[0] : query.top);
  for (int64_t t = 0; t < tokens; t += V::kWidth) {
    const int64_t left = tokens - t;
    const V score = LoadUpTo<V>(scores + t, left);
    tops = Max(left < V::kWidth ? score.FirstOr(left, tops) : score, tops);
  }
  const float top = tops.Max();
  float keep[V::kWidth];
  Exp(V::Set(query.top - top)).Store(keep);
  if (first) keep[0] = 0.0f;
  V total = V::Set(0.0f);
  for (int64_t t = 0; t < tokens; t += V::kWidth) {
    const int64_t left = tokens - t;
    V weight = Exp(LoadUpTo<V>(scores + t, left) - V::Set(top));
    if (left < V::kWidth) weight = weight.FirstOr(left, V::Set(0.0f));
    total = total + weight;
    StoreUpTo(weight, scores + t, left);
  }
  query.top = top;
  query.total = query.total * keep[0] + total.Sum();
  return keep[0];
}

template <int kQueries>
struct Weights {
  const float (*of_tokens)[kCachedBlockTokens];  // [kQueries]
  const float* keep;                             // [kQueries]
};

// Columns `first` to first + kVectors * kWidth of the sums; `count` of them exist.
template <class V, class T, int kQueries, int kVectors>
inline void MixColumns(const CachedBlock& block, Weights<kQueries> weights, int64_t first,
                       int64_t count, Pass pass, const CachedQuery* queries) {
  V mixed[kQueries][kVectors];
  for (int query = 0; query < kQueries; ++query) {
    const float keep = weights.keep[query];
    for (int i = 0; i < kVectors; ++i) {
      const int64_t at = i * V::kWidth;
      mixed[query][i] =
          keep == 0.0f ? V::Set(0.0f)
                       : LoadUpTo<V>(queries[query].sums + first + at, count - at) * V::Set(keep);
    }
  }
  const T* values = static_cast<const T*>(block.values) + first;
  for (int64_t t = 0; t < block.tokens; ++t, values += block.head_dim) {
    V value[kVectors];
    for (int i = 0; i < kVectors; ++i) {
      const int64_t at = i * V::kWidth;
      value[i] = kVectors == 1 ? LoadUpTo<V>(values + at, count - at) : V::Load(values + at);
    }
    for (int query = 0; query < kQueries; ++query) {
      const V weight = V::Set(weights.of_tokens[query][t]);
      for (int i = 0; i < kVectors; ++i) mixed[query][i] = Fma(weight, value[i], mixed[query][i]);
    }
    if (block.next_values != nullptr && pass.Fetches(t)) {
      const T* next = static_cast<const T*>(block.next_values) + t * block.head_dim + first;
      Fetch(next, count * static_cast<int64_t>(sizeof(T)));
    }
  }
  for (int query = 0; query < kQueries; ++query) {
    for (int i = 0; i < kVectors; ++i) {
      const int64_t at = i * V::kWidth;
      StoreUpTo(mixed[query][i], queries[query].sums + first + at, count - at);
    }
  }
}

template <class V, class T, int kQueries>
inline void TakeBlock(const CachedBlock& block, Pass pass, CachedQuery* queries) {
  alignas(64) float weights[kQueries][kCachedBlockTokens];
  float keep[kQueries];
  Scores<V, T, kQueries>(block, queries, pass, weights);
  for (int query = 0; query < kQueries; ++query) {
    keep[query] = Weigh<V>(queries[query], block.tokens, weights[query]);
  }
  constexpr int kVectors = 4;
  constexpr int64_t kWide = kVectors * V::kWidth;
  const Weights<kQueries> mixing = {weights, keep};
  int64_t first = 0;
  for (; first + kWide <= block.head_dim; first += kWide) {
    MixColumns<V, T, kQueries, kVectors>(block, mixing, first, kWide, pass, queries);
  }
  for (; first < block.head_dim; first += V::kWidth) {
    const int64_t left = block.head_dim - first;
    MixColumns<V, T, kQueries, 1>(block, mixing, first, left < V::kWidth ? left : V::kWidth, pass,
                                  queries);
  }
}

template <class V, class T>
inline void TakeBlockInPasses(const CachedBlock& block, CachedQuery* queries, int64_t count) {
  constexpr int kTogether = kQueriesTogether<V>;
  const int64_t passes = count / kTogether + count % kTogether;
  int64_t i = 0;
  for (int64_t pass = 0; pass < passes; ++pass) {
    if (i + kTogether <= count) {
      TakeBlock<V, T, kTogether>(block, {pass, passes}, queries + i);
      i += kTogether;
    } else {
      TakeBlock<V, T, 1>(block, {pass, passes}, queries + i);
      ++i;
    }
  }
}

template <class V>
inline void TakeBlockOf(const CachedBlock& block, CachedQuery* queries, int64_t count) {
  if (block.element == Element::kF32) {
    TakeBlockInPasses<V, float>(block, queries, count);
  } else {
    TakeBlockInPasses<V, uint16_t>(block, queries, count);
  }
}

}  // namespace
}  // namespace vernier
