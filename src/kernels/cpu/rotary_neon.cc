// Rotary positions, NEON (aarch64).
#include "kernels/cpu/rotary_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void Rotary(const RotaryArgs& args) noexcept { RotateAnyRows<Vec>(args); }

}  // namespace vernier::neon
