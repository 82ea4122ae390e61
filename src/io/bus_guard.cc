#include "io/bus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace vernier {
namespace {

// Enough for the most finely sharded checkpoints; one slot is 24 bytes.
constexpr int kSlots = 4096;

struct Slot {
  std::atomic<uintptr_t> begin{0};  // 0: the slot is free
  std::atomic<uintptr_t> end{0};
  std::atomic<bool> lost{false};
};

static_assert(std::atomic<uintptr_t>::is_always_lock_free, "read inside a signal handler");

std::array<Slot, kSlots> slots;
std::mutex slots_mutex;  // for writers only: the handler takes no lock
struct sigaction previous_action;
uintptr_t page_bytes = 4096;

// The guarded map that holds `address`. A slot reused between the two reads of `begin` is skipped.
Slot* FindSlot(uintptr_t address) {
  for (Slot& slot : slots) {
    const uintptr_t begin = slot.begin.load();
    const uintptr_t end = slot.end.load();
    if (begin != 0 && begin <= address && address < end && slot.begin.load() == begin) return &slot;
  }
  return nullptr;
}

// Only async-signal-safe work: atomics and bare system calls.
void OnBusError(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (Slot* slot = FindSlot(address)) {
    void* page = reinterpret_cast<void*>(address / page_bytes * page_bytes);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(page, page_bytes, PROT_READ, flags, -1, 0) != MAP_FAILED) {
      slot->lost.store(true);
      return;
    }
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  } else {
    // The faulting instruction runs again and meets the default action.
    sigaction(SIGBUS, &previous_action, nullptr);
  }
}

void InstallHandler() {
  page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous_action);
}

}  // namespace

int GuardMap(const void* data, size_t bytes) {
  static std::once_flag installed;
  std::call_once(installed, InstallHandler);
  const std::lock_guard lock(slots_mutex);
  for (int i = 0; i < kSlots; ++i) {
    Slot& slot = slots[i];
    if (slot.begin.load() != 0) continue;
    const auto begin = reinterpret_cast<uintptr_t>(data);
    slot.lost.store(false);
    slot.end.store(begin + bytes);
    slot.begin.store(begin);
    return i;
  }
  return -1;
}

void ReleaseGuard(int slot) {
  const std::lock_guard lock(slots_mutex);
  slots[slot].begin.store(0);
}

bool PagesWereLost(int slot) { return slots[slot].lost.load(); }

}  // namespace vernier
