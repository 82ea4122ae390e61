// Attention, NEON (aarch64), multiplying fp32 (bf16 is widened when packed). Tile of 6 queries by
// 16 keys: 24 accumulators, 4 right-hand vectors and a broadcast in the 32 registers.
#include "kernels/cpu/attention_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {
namespace {

struct Registers {
  using Vec = neon::Vec;
  static constexpr int kRows = 6;
  static constexpr int kVectors = 4;
};

}  // namespace

const AttentionKernels kAttention = AttentionVersion<Registers>::Kernels("neon");

}  // namespace vernier::neon
