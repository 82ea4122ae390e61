// Rows of masks, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/mask_rows_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {
namespace {

void Foreground(const ForegroundArgs& args) noexcept {
  ForegroundOf<Vec>(
      args, [](Vec x, Vec y) { return uint32_t{_mm512_cmp_ps_mask(x.v, y.v, _CMP_GE_OQ)}; });
}

}  // namespace

const MaskRowKernels kMaskRows = {BlendRowOf<Vec>, SigmoidsOf<Vec>, Foreground};

}  // namespace vernier::avx512
