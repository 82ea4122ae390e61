// Elementwise kernels, AVX2 and FMA.
#include "kernels/cpu/elementwise_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

const ElementwiseKernels kElementwise = ElementwiseOf<Vec>("avx2");

}  // namespace vernier::avx2
