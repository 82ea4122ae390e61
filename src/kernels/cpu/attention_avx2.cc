// Attention, AVX2 and FMA, multiplying fp32 (bf16 is widened when packed). Tile of 6 queries by 16
// keys: 12 accumulators, 2 right-hand vectors and a broadcast in the 16 registers.
#include "kernels/cpu/attention_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {
namespace {

struct Registers {
  using Vec = avx2::Vec;
  static constexpr int kRows = 6;
  static constexpr int kVectors = 2;
};

}  // namespace

const AttentionKernels kAttention = AttentionVersion<Registers>::Kernels("avx2");

}  // namespace vernier::avx2
