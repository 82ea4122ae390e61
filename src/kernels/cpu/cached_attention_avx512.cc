// Attention over a block of a cache, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/cached_attention_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void CachedAttention(const CachedBlock& block, CachedQuery* queries, int64_t count) noexcept {
  TakeBlockOf<Vec>(block, queries, count);
}

}  // namespace vernier::avx512
