// Rows of 4-byte units into columns, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/transpose_units_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void TransposeUnitRows(const TransposeUnits& t) noexcept { TransposeRows<Vec>(t); }

}  // namespace vernier::avx512
