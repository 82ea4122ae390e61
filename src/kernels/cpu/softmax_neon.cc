// Row softmax, NEON (aarch64).
#include "kernels/cpu/softmax_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void Softmax(const SoftmaxArgs& args) noexcept { SoftmaxRows<Vec>(args); }

}  // namespace vernier::neon
