// Filters of 3x3 convolutions as Winograd's form multiplies them: G filter G^T at every point, in
// fp64 from the checkpoint's values, so that they are rounded once, where they are packed.
// Portable; pure, no threads, no allocation.
#pragma once

#include "kernels/cpu/winograd.h"

namespace vernier {

struct WinogradFilters {
  const float* filters = nullptr;  // [out][in][3][3]
  int64_t out = 0, in = 0;
  double* values = nullptr;  // [points][out][in]
};

void TransformFilters(WinogradForm form, const WinogradFilters& args) noexcept;

}  // namespace vernier
