// Row softmax, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/softmax_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void Softmax(const SoftmaxArgs& args) noexcept { SoftmaxRows<Vec>(args); }

}  // namespace vernier::avx512
