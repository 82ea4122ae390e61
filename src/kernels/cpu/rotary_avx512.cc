// Rotary positions, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/rotary_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void Rotary(const RotaryArgs& args) noexcept { RotateAnyRows<Vec>(args); }

}  // namespace vernier::avx512
