// Resized maps, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/resize_rows_impl.h"
#include "kernels/cpu/vec_avx512.h"

namespace vernier::avx512 {

void ResizeRow(const ResizeRowArgs& args) noexcept { ResizeRowOf<Vec>(args); }

}  // namespace vernier::avx512
