#include "core/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "core/check.h"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace vernier {
namespace {

// The thread sanitizer does not see how OpenMP's threads wait for each other, and is told: what
// came before a release of `meeting` is done when another thread has acquired it.
#ifdef __SANITIZE_THREAD__
#define VN_UNSEEN __attribute__((no_sanitize("thread")))
void Release(void* meeting) { __tsan_release(meeting); }
void Acquire(void* meeting) { __tsan_acquire(meeting); }
#else
#define VN_UNSEEN
void Release(void*) {}
void Acquire(void*) {}
#endif

struct Region {
  const std::function<void(int worker, int workers)>& work;
  char begins = 0, ends = 0;  // meetings

  void Work(int worker, int workers) {
    Acquire(&begins);
    work(worker, workers);
    Release(&ends);
  }
};

// OpenMP's threads find `region` in memory that the caller writes: unseen as well.
VN_UNSEEN void Open(int threads, Region& region) {
#pragma omp parallel num_threads(threads)
  region.Work(omp_get_thread_num(), omp_get_num_threads());
}

// The only place where threads come from: work(worker, workers) on each of `threads` workers, or on
// as many as OpenMP gives.
void RunRegion(int threads, const std::function<void(int worker, int workers)>& work) {
  Region region = {work};
  Release(&region.begins);
  Open(threads, region);
  Acquire(&region.ends);
}

// CPUs granted by cgroup v2's cpu.max ("quota period" or "max period"); 0 when there is no limit.
int CgroupCpus() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::max(1, static_cast<int>(std::ceil(std::strtod(quota.c_str(), nullptr) / period)));
}

// The team that the calling thread leads within ParallelTeams, while it has no round to finish.
thread_local class Team* led_team = nullptr;

// Turns of waiting, some 20 to 50 microseconds, after which others may have the core.
constexpr int kTurnsBeforeYield = 1000;

// Of its part of an upcoming read a thread fetches at most half of the second-level cache that
// server cores have at least, a few lines at a time: work must not find it busy with many.
constexpr size_t kMostFetched = 512 * 1024;
constexpr size_t kLine = 64;
constexpr size_t kFetchedAtOnce = 8 * kLine;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How far a thread has fetched its part of an upcoming read.
struct Fetched {
  const std::byte* of = nullptr;
  size_t bytes = 0;

  /// A few lines more of the part of `worker` in `team`; false when there are none to fetch.
  bool More(const UpcomingRead* read, int worker, int team) {
    if (read == nullptr) return false;
    if (read->data() != of) *this = {.of = read->data()};
    const size_t part = read->size() / static_cast<size_t>(team);
    const size_t end = std::min({part, kMostFetched, bytes + kFetchedAtOnce});
    if (bytes == end) return false;
    const std::byte* own = of + static_cast<size_t>(worker) * part;
    for (; bytes < end; bytes += std::min(kLine, end - bytes)) {
      static_cast<void>(*static_cast<const volatile std::byte*>(own + bytes));
    }
    return true;
  }
};

// Some threads of a region under one of them, the leader, who hands out work round by round. All
// wait by spinning: work comes every few microseconds.
class Team {
 public:
  /// Before any of them is at work: `size` threads, none of which has had a round.
  void Form(int size) {
    helpers_ = size - 1;
    round_.store(0, std::memory_order_relaxed);
    fetched_by_leader_ = {};
    FetchWhileWaiting(nullptr);
  }

  int size() const { return helpers_ + 1; }

  /// The leader's: work(worker) once for each of `workers` <= size(). Work that is parallel in
  /// itself runs inline: the team has no thread to give before the round is over.
  void Run(int workers, const std::function<void(int)>& work) {
    workers_ = workers;
    work_ = &work;
    finished_.store(0, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    Team* const led = std::exchange(led_team, nullptr);
    work(0);
    led_team = led;
    WaitUntil([this] { return finished_.load(std::memory_order_acquire) == helpers_; }, 0,
              fetched_by_leader_);
  }

  /// The leader's.
  void FetchWhileWaiting(const UpcomingRead* read) {
    upcoming_.store(read, std::memory_order_release);
  }

  /// The others': works until the leader dismisses them.
  void Help(int worker) {
    Fetched fetched;
    for (int round = 1;; ++round) {
      WaitUntil([&] { return round_.load(std::memory_order_acquire) >= round; }, worker, fetched);
      if (work_ == nullptr) return;
      if (worker < workers_) (*work_)(worker);
      finished_.fetch_add(1, std::memory_order_release);
    }
  }

  void Dismiss() {
    work_ = nullptr;
    round_.fetch_add(1, std::memory_order_release);
  }

 private:
  template <typename Condition>
  void WaitUntil(const Condition& holds, int worker, Fetched& fetched) {
    for (int turns = 0; !holds();) {
      if (fetched.More(upcoming_.load(std::memory_order_acquire), worker, size())) continue;
      if (++turns < kTurnsBeforeYield) {
        Pause();
      } else {
        std::this_thread::yield();
      }
    }
  }

  int helpers_ = 0;
  Fetched fetched_by_leader_;
  // Written by the leader between rounds, when no helper reads them.
  int workers_ = 0;
  const std::function<void(int)>* work_ = nullptr;
  std::atomic<int> round_ = 0;
  std::atomic<int> finished_ = 0;
  std::atomic<const UpcomingRead*> upcoming_ = nullptr;
};

}  // namespace

int AvailableThreads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int threads = 1;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) threads = std::max(1, CPU_COUNT(&set));
  const int quota = CgroupCpus();
  return quota > 0 ? std::min(threads, quota) : threads;
}

void ParallelFor(int threads, int64_t count, int64_t grain,
                 const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  const int64_t pieces = (count + grain - 1) / grain;
  const int workers = static_cast<int>(std::min<int64_t>(threads, pieces));
  if (workers <= 1) {
    body(0, count);
    return;
  }
  const auto part = [&](int64_t worker, int64_t team) {
    const int64_t first = pieces * worker / team * grain;
    const int64_t last = std::min(count, pieces * (worker + 1) / team * grain);
    if (first < last) body(first, last);
  };
  if (led_team != nullptr) {
    const int team = std::min(workers, led_team->size());
    led_team->Run(team, [&part, &team](int worker) { part(worker, team); });
    return;
  }
  RunRegion(workers, std::ref(part));  // by reference: nothing is allocated
}

bool ParallelTeams(std::span<const int> sizes, const std::function<void(int team)>& body) {
  if (omp_in_parallel() != 0) return false;
  const int threads = std::accumulate(sizes.begin(), sizes.end(), 0);
  // The caller's, kept from call to call: only more teams than before are allocated.
  static thread_local std::deque<Team> kept;
  std::deque<Team>& teams = kept;
  while (teams.size() < sizes.size()) teams.emplace_back();
  for (size_t team = 0; team < sizes.size(); ++team) teams[team].Form(sizes[team]);
  std::atomic<bool> enough = true;
  const auto work = [&](int worker, int workers) {
    if (workers < threads) {
      enough = false;
      return;
    }
    int team = 0;
    for (; worker >= sizes[static_cast<size_t>(team)]; ++team) {
      worker -= sizes[static_cast<size_t>(team)];
    }
    Team& mine = teams[static_cast<size_t>(team)];
    if (worker > 0) {
      mine.Help(worker);
    } else {
      led_team = &mine;
      body(team);
      led_team = nullptr;
      mine.Dismiss();
    }
  };
  RunRegion(threads, std::ref(work));
  return enough;
}

void FetchWhileWaiting(const UpcomingRead* read) {
  if (led_team != nullptr) led_team->FetchWhileWaiting(read);
}

void SetTeamOfCaller(int threads) {
  const int given = std::min(threads, omp_get_thread_limit());
  if (omp_get_max_threads() != given) omp_set_num_threads(given);
  if (omp_get_dynamic() != 0) omp_set_dynamic(0);
}

void ParallelWorkers(int threads, const std::function<void(int)>& body) {
  if (threads <= 1) {
    body(0);
    return;
  }
  VN_CHECK(omp_in_parallel() == 0, "a region within another has no threads to give");
  RunRegion(threads, [&body](int worker, int) { body(worker); });
}

}  // namespace vernier
