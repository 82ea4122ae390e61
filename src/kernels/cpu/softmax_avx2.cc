// Row softmax, AVX2 and FMA.
#include "kernels/cpu/softmax_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void Softmax(const SoftmaxArgs& args) noexcept { SoftmaxRows<Vec>(args); }

}  // namespace vernier::avx2
