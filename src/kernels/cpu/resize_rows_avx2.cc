// Resized maps, AVX2 and FMA.
#include "kernels/cpu/resize_rows_impl.h"
#include "kernels/cpu/vec_avx2.h"

namespace vernier::avx2 {

void ResizeRow(const ResizeRowArgs& args) noexcept { ResizeRowOf<Vec>(args); }

}  // namespace vernier::avx2
