#include "core/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int kInterruptedExitCode = 130;

// Only async-signal-safe calls in here; stdio is not.
void OnSignal(int) {
  if (!InterruptFlag().exchange(true)) {
    constexpr char kFirst[] = "\nstopping after the current item; once more stops at once\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kFirst, sizeof(kFirst) - 1);
    return;
  }
  constexpr char kSecond[] = "\nINTERRUPTED | stopped at once by a second signal\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kSecond, sizeof(kSecond) - 1);
  _exit(kInterruptedExitCode);
}

}  // namespace

std::atomic<bool>& InterruptFlag() {
  static_assert(std::atomic<bool>::is_always_lock_free, "the handler needs a lock-free flag");
  static constinit std::atomic<bool> flag = false;
  return flag;
}

void InstallInterruptHandlers() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;  // reads and writes in progress belong to the current item
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void ThrowIfInterrupted() {
  if (Interrupted()) throw Error(ErrorKind::kInterrupted, "interrupted by a signal");
}

}  // namespace vernier
