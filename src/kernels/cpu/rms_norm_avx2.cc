// Root-mean-square normalisation, AVX2 and FMA.
#include "kernels/cpu/rms_norm_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void RmsNorm(const RmsNormArgs& args) noexcept { RmsNormRows<Vec>(args); }

}  // namespace vernier::avx2
