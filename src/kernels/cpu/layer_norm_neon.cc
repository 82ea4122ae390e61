// Layer normalisation, NEON (aarch64).
#include "kernels/cpu/layer_norm_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void LayerNorm(const LayerNormArgs& args) noexcept { NormalizeRows<Vec>(args); }

}  // namespace vernier::neon
