// Elementwise kernels, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/elementwise_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

const ElementwiseKernels kElementwise = ElementwiseOf<Vec>("avx512");

}  // namespace vernier::avx512
