// Memory of this process by kind, as the kernel counts it (/proc/self/status).
// Anonymous memory is what we allocated; file-backed memory is mapped files (weights), which the
// kernel can take back. Bounds are stated on anonymous memory.
#pragma once

#include <cstdint>
#include <string>

namespace vernier {

struct MemoryUse {
  int64_t peak_rss_bytes = 0;
  int64_t rss_bytes = 0;
  int64_t anonymous_bytes = 0;
  int64_t file_backed_bytes = 0;
};

/// Figures of now; zeros where the kernel does not say. `root` stands for "/" in tests.
MemoryUse ReadMemoryUse(const std::string& root = "");

/// Starts peak_rss_bytes anew from the present size; false where the kernel does not allow it.
bool ResetPeakMemory();

}  // namespace vernier
