// Root-mean-square normalisation, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/rms_norm_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void RmsNorm(const RmsNormArgs& args) noexcept { RmsNormRows<Vec>(args); }

}  // namespace vernier::avx512
