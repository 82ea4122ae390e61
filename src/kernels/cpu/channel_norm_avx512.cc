// Normalisation by channel, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/channel_norm_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

const ChannelNormKernels kChannelNorm = ChannelNormOf<Vec>();

}  // namespace vernier::avx512
