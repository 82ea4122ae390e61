#include "core/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace vernier {
namespace {

// CPUs granted by cgroup v2's cpu.max ("quota period" or "max period"); 0 when there is no limit.
int CgroupCpus() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::max(1, static_cast<int>(std::ceil(std::strtod(quota.c_str(), nullptr) / period)));
}

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
#pragma omp parallel num_threads(workers)
  {
    const int64_t worker = omp_get_thread_num();
    const int64_t team = omp_get_num_threads();
    const int64_t first = pieces * worker / team * grain;
    const int64_t last = std::min(count, pieces * (worker + 1) / team * grain);
    if (first < last) body(first, last);
  }
}

void SetTeamOfCaller(int threads) {
  if (omp_get_max_threads() != threads) omp_set_num_threads(threads);
}

void ParallelWorkers(int threads, const std::function<void(int)>& body) {
  if (threads <= 1) {
    body(0);
    return;
  }
#pragma omp parallel num_threads(threads)
  body(omp_get_thread_num());
}

}  // namespace vernier
