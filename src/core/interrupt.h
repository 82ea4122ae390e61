// Ctrl-C and SIGTERM as a flag that long work reads between items.
// The first signal asks: the current item is finished, files are completed, the command ends with
// exit code 130. A second signal ends the process at once; files appear under their names only
// when complete, so nothing half-written is left. Flags may be read from any thread.
#pragma once

#include <atomic>

namespace vernier {

/// Takes over SIGINT and SIGTERM for this process. Call once, before threads start.
void InstallInterruptHandlers();

/// Set by the first signal; also settable by a caller that wants the same orderly end.
std::atomic<bool>& InterruptFlag();

inline bool Interrupted() { return InterruptFlag().load(std::memory_order_relaxed); }

/// Throws Error{kInterrupted} when the flag is set.
void ThrowIfInterrupted();

}  // namespace vernier
