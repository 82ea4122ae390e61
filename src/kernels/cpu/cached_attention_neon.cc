// Attention over a block of a cache, NEON (aarch64).
#include "kernels/cpu/cached_attention_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void CachedAttention(const CachedBlock& block, CachedQuery& query) noexcept {
  TakeBlockOf<Vec>(block, query);
}

}  // namespace vernier::neon
