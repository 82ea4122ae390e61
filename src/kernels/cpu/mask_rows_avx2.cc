// Rows of masks, AVX2 and FMA.
#include "kernels/cpu/mask_rows_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {
namespace {

void Foreground(const ForegroundArgs& args) noexcept {
  ForegroundOf<Vec>(args, [](Vec x, Vec y) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x.v, y.v, _CMP_GE_OQ)));
  });
}

}  // namespace

const MaskRowKernels kMaskRows = {BlendRowOf<Vec>, SigmoidsOf<Vec>, Foreground};

}  // namespace vernier::avx2
