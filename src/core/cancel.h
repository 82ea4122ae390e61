// The flag by which one thread asks another's long work to end early; the work reads it between
// pieces.
#pragma once

#include <atomic>

namespace vernier {

/// Null is a flag that nobody can set. Orders nothing else that the threads share.
inline bool IsSet(const std::atomic<bool>* flag) {
  return flag != nullptr && flag->load(std::memory_order_relaxed);
}

}  // namespace vernier
