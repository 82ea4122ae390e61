// Attention over a block of a cache in plain C++: the contract of the other versions.
#include <algorithm>
#include <cmath>

#include "core/float_types.h"
#include "kernels/cpu/cached_attention.h"

namespace vernier::scalar {
namespace {

float At(const void* rows, Element element, int64_t index) {
  return element == Element::kF32 ? static_cast<const float*>(rows)[index]
                                  : FromBf16(static_cast<const uint16_t*>(rows)[index]);
}

void TakeBlock(const CachedBlock& block, CachedQuery& query) {
  float scores[kCachedBlockTokens];
  float top = query.top;
  for (int64_t t = 0; t < block.tokens; ++t) {
    float dot = 0.0f;
    for (int64_t c = 0; c < block.head_dim; ++c) {
      dot += query.q[c] * At(block.keys, block.element, t * block.head_dim + c);
    }
    scores[t] = dot + (query.bias == nullptr ? 0.0f : query.bias[-t]);
    top = t == 0 && query.total == 0.0f ? scores[t] : std::max(top, scores[t]);
  }
  const float keep = query.total == 0.0f ? 0.0f : std::exp(query.top - top);
  query.top = top;
  query.total *= keep;
  for (int64_t c = 0; c < block.head_dim; ++c)
    query.sums[c] = keep == 0.0f ? 0.0f : query.sums[c] * keep;
  for (int64_t t = 0; t < block.tokens; ++t) {
    const float weight = std::exp(scores[t] - top);
    query.total += weight;
    for (int64_t c = 0; c < block.head_dim; ++c) {
      query.sums[c] += weight * At(block.values, block.element, t * block.head_dim + c);
    }
  }
}

}  // namespace

void CachedAttention(const CachedBlock& block, CachedQuery* queries, int64_t count) noexcept {
  for (int64_t i = 0; i < count; ++i) TakeBlock(block, queries[i]);
}

}  // namespace vernier::scalar
