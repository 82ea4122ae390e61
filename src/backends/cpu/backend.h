// The CPU backend: our own kernels for the best (or a forced) instruction set, and oneDNN where it
// was built in, allowed, and measures faster.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "core/cpu_features.h"

namespace vernier {

/// Which matrix products oneDNN runs.
enum class OnednnUse { kNever, kWhereFaster, kAlways };

/// Which of the convolutions that it fits run by Winograd's form.
enum class WinogradUse { kNever, kWhereFaster, kAlways };

struct CpuBackendOptions {
  Isa isa = Cpu().best();
  OnednnUse onednn = OnednnUse::kWhereFaster;
  WinogradUse winograd = WinogradUse::kWhereFaster;
};

std::unique_ptr<Backend> MakeCpuBackend(const CpuBackendOptions& options);

}  // namespace vernier
