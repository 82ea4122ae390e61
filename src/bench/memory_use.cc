#include "bench/memory_use.h"

#include <fstream>

#include "core/key_value_file.h"

namespace vernier {

MemoryUse ReadMemoryUse(const std::string& root) {
  const auto status = ReadKeyValueFile(root + "/proc/self/status");
  return {.peak_rss_bytes = KibibytesOf(status, "VmHWM"),
          .rss_bytes = KibibytesOf(status, "VmRSS"),
          .anonymous_bytes = KibibytesOf(status, "RssAnon"),
          .file_backed_bytes = KibibytesOf(status, "RssFile")};
}

bool ResetPeakMemory() {
  constexpr char kResetPeak[] = "5";  // proc(5), clear_refs
  std::ofstream file("/proc/self/clear_refs");
  file << kResetPeak << std::flush;
  return file.good();
}

}  // namespace vernier
