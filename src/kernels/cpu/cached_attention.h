// Attention of a few queries over one block of cached keys and values: what decoding spends its
// time on beside the weights. A running maximum and sum carry over from block to block. Pure,
// noexcept, no threads, no allocation. Bound: bytes of the cache where a query is alone; the
// products where a group of heads shares keys and values, four of which are multiplied as they are
// loaded once. The next block is fetched while this one is worked on. A query's result depends on
// that query and the cache alone, not on the others.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace vernier {

enum class Isa;

/// At most so many tokens in a block.
constexpr int64_t kCachedBlockTokens = 64;

/// What a query carries from block to block; `sums` has room for head_dim floats and is written by
/// the first block, for which `total` is 0.
struct CachedQuery {
  const float* q = nullptr;  // [head_dim], the scale multiplied in
  /// Added to the scores, bias[-t] to that of the block's token t: biases go by the distance, which
  /// falls. Null: nothing.
  const float* bias = nullptr;
  float top = 0.0f;       // greatest score so far
  float total = 0.0f;     // sum of exp(score - top)
  float* sums = nullptr;  // sum of exp(score - top) * value
};

struct CachedBlock {
  const void* keys = nullptr;  // [tokens, head_dim], dense
  const void* values = nullptr;
  Element element = Element::kF32;
  int64_t tokens = 0;  // at least 1
  int64_t head_dim = 0;
  /// What will be read next, of the same extent; null: nothing.
  const void* next_keys = nullptr;
  const void* next_values = nullptr;
};

/// Takes a block into each of `count` queries.
using CachedAttentionKernel = void (*)(const CachedBlock&, CachedQuery* queries,
                                       int64_t count) noexcept;

/// The fastest version within `isa`.
CachedAttentionKernel SelectCachedAttention(Isa isa);

namespace scalar {
void CachedAttention(const CachedBlock&, CachedQuery* queries, int64_t count) noexcept;
}
namespace avx2 {
void CachedAttention(const CachedBlock&, CachedQuery* queries, int64_t count) noexcept;
}
namespace avx512 {
void CachedAttention(const CachedBlock&, CachedQuery* queries, int64_t count) noexcept;
}
namespace neon {
void CachedAttention(const CachedBlock&, CachedQuery* queries, int64_t count) noexcept;
}

}  // namespace vernier
