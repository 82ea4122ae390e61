// Layer normalisation, AVX2 and FMA.
#include "kernels/cpu/layer_norm_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void LayerNorm(const LayerNormArgs& args) noexcept { NormalizeRows<Vec>(args); }

}  // namespace vernier::avx2
