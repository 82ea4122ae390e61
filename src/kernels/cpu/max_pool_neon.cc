// Max pooling, NEON.
#include "kernels/cpu/max_pool_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void MaxPool(const MaxPoolArgs& args) noexcept { MaxPoolLine<Vec>(args); }

}  // namespace vernier::neon
