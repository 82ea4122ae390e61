// Instruction sets of this CPU that vernier has kernels for, and the choice among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vernier {

/// Ordered from the least to the most capable within one architecture.
enum class Isa { kScalar, kAvx2, kAvx512, kAvx512Bf16, kAmx, kNeon };

/// "scalar", "avx2", "avx512", "avx512_bf16", "amx", "neon".
const char* Name(Isa isa);

struct CpuFeatures {
  std::string model_name;
  std::vector<Isa> isas;  // supported by CPU and operating system; always begins with kScalar

  bool Has(Isa isa) const;
  Isa best() const { return isas.back(); }
};

/// Features of this machine, detected once (AMX tile permission is asked of the kernel here).
const CpuFeatures& Cpu();

/// The instruction set that `name` means; throws Error{kUsage} with the list of what this CPU has
/// when the name is unknown, and Error{kDevice} when the CPU lacks it.
Isa ParseIsa(std::string_view name);

}  // namespace vernier
