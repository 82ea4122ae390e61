// Attention, NEON (aarch64), multiplying fp32 (bf16 is widened when packed). Tile of 6 queries by
// 16 keys: 24 accumulators, 4 right-hand vectors and a broadcast in the 32 registers.
#include "kernels/cpu/attention_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {
namespace {

struct Units : Float32Units<Vec> {
  static constexpr int kRows = 6;
  static constexpr int kVectors = 4;
};

}  // namespace

const AttentionKernels kAttention = AttentionVersion<Units>::Kernels("neon");

}  // namespace vernier::neon
