// Winograd's transforms, NEON (aarch64).
#include "kernels/cpu/vec_neon.h"
#include "kernels/cpu/winograd_impl.h"

namespace vernier::neon {

const WinogradTransforms kWinograd[2] = {WinogradVersion<Vec, WinogradForm::kF2>(),
                                         WinogradVersion<Vec, WinogradForm::kF4>()};

}  // namespace vernier::neon
