// Resized maps, NEON.
#include "kernels/cpu/resize_rows_impl.h"
#include "kernels/cpu/vec_neon.h"

namespace vernier::neon {

void ResizeRow(const ResizeRowArgs& args) noexcept { ResizeRowOf<Vec>(args); }

}  // namespace vernier::neon
