// Attention over a block of a cache, NEON (aarch64).
#include "kernels/cpu/cached_attention_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void CachedAttention(const CachedBlock& block, CachedQuery* queries, int64_t count) noexcept {
  TakeBlockOf<Vec>(block, queries, count);
}

}  // namespace vernier::neon
