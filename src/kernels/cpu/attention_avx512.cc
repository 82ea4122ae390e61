// Attention, AVX-512 F/BW/VL/DQ, multiplying fp32. Tile of 6 queries by 64 keys (or channels): 24
// accumulators, 4 right-hand vectors and a broadcast in the 32 registers.
#include "kernels/cpu/attention_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {
namespace {

struct Registers {
  using Vec = avx512::Vec;
  static constexpr int kRows = 6;
  static constexpr int kVectors = 4;
};

}  // namespace

const AttentionKernels kAttention = AttentionVersion<Registers>::Kernels("avx512");

}  // namespace vernier::avx512
