// Max pooling, AVX2 and FMA.
#include "kernels/cpu/max_pool_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void MaxPool(const MaxPoolArgs& args) noexcept { MaxPoolLine<Vec>(args); }

}  // namespace vernier::avx2
