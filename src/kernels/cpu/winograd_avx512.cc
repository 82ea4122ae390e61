// Winograd's transforms, AVX-512 F/BW/VL/DQ.
#include "kernels/cpu/vec_avx512.h"
#include "kernels/cpu/winograd_impl.h"

namespace vernier::avx512 {

const WinogradTransforms kWinograd[2] = {WinogradVersion<Vec, WinogradForm::kF2>(),
                                         WinogradVersion<Vec, WinogradForm::kF4>()};

}  // namespace vernier::avx512
