// Root-mean-square normalisation, NEON (aarch64).
#include "kernels/cpu/rms_norm_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void RmsNorm(const RmsNormArgs& args) noexcept { RmsNormRows<Vec>(args); }

}  // namespace vernier::neon
