// Normalisation by channel, NEON.
#include "kernels/cpu/channel_norm_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

const ChannelNormKernels kChannelNorm = ChannelNormOf<Vec>();

}  // namespace vernier::neon
