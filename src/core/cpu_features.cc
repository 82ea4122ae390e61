#include "core/cpu_features.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "vernier/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace vernier {
namespace {

constexpr Isa kAllIsas[] = {Isa::kScalar,     Isa::kAvx2, Isa::kAvx512,
                            Isa::kAvx512Bf16, Isa::kAmx,  Isa::kNeon};

std::string ModelName() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

#if defined(__x86_64__)

// Linux gives AMX tile registers only to processes that ask (arch_prctl, since kernel 5.16).
bool AskForTiles() {
  constexpr int kArchReqXcompPerm = 0x1023;
  constexpr int kXfeatureTileData = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureTileData) == 0;
}

bool HasAmx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24, kAmxInt8 = 1u << 25;
  constexpr unsigned kAll = kAmxBf16 | kAmxTile | kAmxInt8;
  return (d & kAll) == kAll && AskForTiles();
}

// With VNNI, which every CPU with BF16 has.
bool HasAvx512Bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx512vnni") && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 &&
         (a & (1u << 5)) != 0;
}

std::vector<Isa> Detect() {
  std::vector<Isa> isas = {Isa::kScalar};
  // The builtin also checks that the operating system saves the wider registers.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back(Isa::kAvx2);
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (!avx512) return isas;
  isas.push_back(Isa::kAvx512);
  if (!HasAvx512Bf16()) return isas;
  isas.push_back(Isa::kAvx512Bf16);
  if (HasAmx()) isas.push_back(Isa::kAmx);
  return isas;
}

#elif defined(__aarch64__)

std::vector<Isa> Detect() { return {Isa::kScalar, Isa::kNeon}; }

#else

std::vector<Isa> Detect() { return {Isa::kScalar}; }

#endif

std::vector<const char*> Names(const std::vector<Isa>& isas) {
  std::vector<const char*> names;
  for (Isa isa : isas) names.push_back(Name(isa));
  return names;
}

}  // namespace

const char* Name(Isa isa) {
  constexpr const char* kNames[] = {"scalar", "avx2", "avx512", "avx512_bf16", "amx", "neon"};
  return kNames[static_cast<size_t>(isa)];
}

bool CpuFeatures::Has(Isa isa) const { return std::ranges::count(isas, isa) > 0; }

const CpuFeatures& Cpu() {
  static const CpuFeatures features{ModelName(), Detect()};
  return features;
}

Isa ParseIsa(std::string_view name) {
  for (Isa isa : kAllIsas) {
    if (name != Name(isa)) continue;
    if (Cpu().Has(isa)) return isa;
    throw Error(ErrorKind::kDevice, fmt::format("this CPU has no {} instructions", name),
                fmt::format("it has: {}", fmt::join(Names(Cpu().isas), ", ")));
  }
  throw Error(ErrorKind::kUsage, fmt::format("unknown instruction set '{}'", name),
              fmt::format("this CPU has: {}", fmt::join(Names(Cpu().isas), ", ")));
}

}  // namespace vernier
