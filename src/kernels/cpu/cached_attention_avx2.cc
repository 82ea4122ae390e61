// Attention over a block of a cache, AVX2 and FMA.
#include "kernels/cpu/cached_attention_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void CachedAttention(const CachedBlock& block, CachedQuery* queries, int64_t count) noexcept {
  TakeBlockOf<Vec>(block, queries, count);
}

}  // namespace vernier::avx2
