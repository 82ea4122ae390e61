// Rows of 4-byte units into columns, NEON (aarch64).
#include "kernels/cpu/transpose_units_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void TransposeUnitRows(const TransposeUnits& t) noexcept { TransposeRows<Vec>(t); }

}  // namespace vernier::neon
