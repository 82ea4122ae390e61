// Max pooling, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/max_pool_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void MaxPool(const MaxPoolArgs& args) noexcept { MaxPoolLine<Vec>(args); }

}  // namespace vernier::avx512
