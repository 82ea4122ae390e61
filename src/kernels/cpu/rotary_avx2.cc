// Rotary positions, AVX2 and FMA.
#include "kernels/cpu/rotary_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void Rotary(const RotaryArgs& args) noexcept { RotateAnyRows<Vec>(args); }

}  // namespace vernier::avx2
