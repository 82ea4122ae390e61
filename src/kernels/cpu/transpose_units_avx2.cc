// Rows of 4-byte units into columns, AVX2.
#include "kernels/cpu/transpose_units_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void TransposeUnitRows(const TransposeUnits& t) noexcept { TransposeRows<Vec>(t); }

}  // namespace vernier::avx2
