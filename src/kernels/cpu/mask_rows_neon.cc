// Rows of masks, NEON.
#include "kernels/cpu/mask_rows_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {
namespace {

void Foreground(const ForegroundArgs& args) noexcept {
  ForegroundOf<Vec>(args, [](Vec x, Vec y) {
    return vaddvq_u32(vandq_u32(vcgeq_f32(x.v, y.v), uint32x4_t{1, 2, 4, 8}));
  });
}

}  // namespace

const MaskRowKernels kMaskRows = {BlendRowOf<Vec>, SigmoidsOf<Vec>, Foreground};

}  // namespace vernier::neon
