// Elementwise kernels, NEON (aarch64).
#include "kernels/cpu/elementwise_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

const ElementwiseKernels kElementwise = ElementwiseOf<Vec>("neon");

}  // namespace vernier::neon
