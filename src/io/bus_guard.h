// A process-wide SIGBUS handler for mapped files: a page that a file no longer has is replaced by
// zeros, and the map is marked. Faults elsewhere go to the handler that was there before.
// Callable from any thread.
#pragma once

#include <cstddef>

namespace vernier {

/// Puts [data, data + bytes) under guard; installs the handler at the first call. Returns the slot,
/// or -1 when all slots are taken.
int GuardMap(const void* data, size_t bytes);
void ReleaseGuard(int slot);
/// Whether a page of the map was missing when it was touched.
bool PagesWereLost(int slot);

}  // namespace vernier
