// Winograd's transforms, AVX2 and FMA.
#include "kernels/cpu/vec_avx2.h"
#include "kernels/cpu/winograd_impl.h"

namespace vernier::avx2 {

const WinogradTransforms kWinograd[2] = {WinogradVersion<Vec, WinogradForm::kF2>(),
                                         WinogradVersion<Vec, WinogradForm::kF4>()};

}  // namespace vernier::avx2
