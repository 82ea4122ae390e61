// Normalisation by channel, AVX2 and FMA.
#include "kernels/cpu/channel_norm_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

const ChannelNormKernels kChannelNorm = ChannelNormOf<Vec>();

}  // namespace vernier::avx2
