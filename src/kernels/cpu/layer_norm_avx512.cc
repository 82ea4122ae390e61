// Layer normalisation, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/layer_norm_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void LayerNorm(const LayerNormArgs& args) noexcept { NormalizeRows<Vec>(args); }

}  // namespace vernier::avx512
