#include "core/huge_pages.h"

#include <sys/mman.h>

namespace vernier {

void AdviseHugePages(void* memory, size_t bytes) { madvise(memory, bytes, MADV_HUGEPAGE); }

}  // namespace vernier
