#include "bench/health.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

#include "core/bytes_text.h"

namespace vernier {
namespace {

// A run maps one file per checkpoint shard and opens a picture and an output at a time.
constexpr int64_t kEnoughOpenFiles = 256;
// A large ViT in f32 with its activations; smaller models do with less.
constexpr int64_t kComfortableMemory = int64_t{4} << 30;

int64_t SoftLimit(int resource) {
  rlimit limit = {};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return 0;
  return limit.rlim_cur == RLIM_INFINITY ? 0 : static_cast<int64_t>(limit.rlim_cur);
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool HasIsa(const Machine& machine, std::string_view name) {
  return std::ranges::count(machine.isas, name) > 0;
}

using Findings = std::vector<Finding>;

void JudgeProcessor(const Machine& machine, Findings& findings) {
  if (machine.architecture == "x86_64" && !HasIsa(machine, "avx2")) {
    findings.push_back(
        {Severity::kProblem, "this CPU has no AVX2: only the scalar kernels run",
         "use a machine with AVX2 (since 2013); in a virtual machine, pass the host's "
         "CPU through"});
  }
  if (machine.architecture == "x86_64" && !HasIsa(machine, "avx512_bf16")) {
    findings.push_back({Severity::kNote, "no bf16 instructions: bf16 is exact but not faster here",
                        "use --dtype f32 for speed on this machine"});
  }
  if (machine.logical_cpus > machine.available_threads) {
    findings.push_back(
        {Severity::kNote,
         fmt::format("this process may use {} of {} CPUs", machine.available_threads,
                     machine.logical_cpus),
         "widen the affinity mask (taskset) or the control group's CPU quota to use more"});
  }
  if (machine.governor == "powersave") {
    findings.push_back({Severity::kNote, "the CPU governor is 'powersave': timings may wander",
                        "as root: cpupower frequency-set -g performance"});
  }
}

void JudgeMemory(const HealthReport& report, Findings& findings) {
  const Machine& machine = report.machine;
  const int64_t limit = machine.memory_limit_bytes;
  if (limit > 0 && (machine.memory_bytes == 0 || limit < machine.memory_bytes)) {
    findings.push_back({Severity::kNote,
                        fmt::format("the control group allows {} of memory", BytesText(limit)),
                        "raise its memory.max for larger models"});
  }
  if (machine.available_memory_bytes > 0 && machine.available_memory_bytes < kComfortableMemory) {
    findings.push_back(
        {Severity::kProblem,
         fmt::format("only {} of memory is available", BytesText(machine.available_memory_bytes)),
         "close other programs, or use --dtype bf16 and small batches"});
  }
  if (report.limits.address_bytes > 0) {
    findings.push_back({Severity::kProblem,
                        fmt::format("the address space is limited to {}: mapping weights may fail",
                                    BytesText(report.limits.address_bytes)),
                        "ulimit -v unlimited"});
  }
}

void JudgeProcess(const HealthReport& report, Findings& findings) {
  const ProcessLimits& limits = report.limits;
  if (limits.open_files > 0 && limits.open_files < kEnoughOpenFiles) {
    findings.push_back(
        {Severity::kProblem,
         fmt::format("only {} files may be open: checkpoints in many shards may fail",
                     limits.open_files),
         fmt::format("ulimit -n {}", kEnoughOpenFiles * 4)});
  }
  if (!limits.omp_num_threads.empty()) {
    findings.push_back({Severity::kNote,
                        fmt::format("OMP_NUM_THREADS={} is set; vernier follows --threads",
                                    limits.omp_num_threads),
                        "set VERNIER_THREADS or --threads instead"});
  }
  if (!limits.omp_proc_bind.empty()) {
    findings.push_back({Severity::kNote,
                        fmt::format("OMP_PROC_BIND={} pins threads", limits.omp_proc_bind),
                        "unset it when other programs share the machine"});
  }
  if (!limits.preloaded.empty()) {
    findings.push_back({Severity::kNote, fmt::format("LD_PRELOAD is set: {}", limits.preloaded),
                        "unset it when timings or allocations look odd"});
  }
}

void JudgeAccelerators(const Accelerators& found, Findings& findings) {
  if (found.nvidia_device_nodes && found.nvidia_driver.empty()) {
    findings.push_back({Severity::kProblem, "NVIDIA device nodes are there but no driver is loaded",
                        "load it (modprobe nvidia) or install the driver of the distribution"});
  }
  if (!found.nvidia_gpus.empty() || found.ascend_devices > 0) {
    findings.push_back({Severity::kNote,
                        "this version of vernier computes on the CPU; accelerators are only listed",
                        "nothing to do"});
  }
  if (found.ascend_devices > 0 && !found.ascend_toolkit) {
    findings.push_back({Severity::kNote, "Ascend NPUs are there but no CANN in /usr/local/Ascend",
                        "install CANN, or source its set_env.sh when it is elsewhere"});
  }
}

}  // namespace

const char* Name(Severity severity) { return severity == Severity::kProblem ? "problem" : "note"; }

ProcessLimits ReadProcessLimits() {
  return {.open_files = SoftLimit(RLIMIT_NOFILE),
          .address_bytes = SoftLimit(RLIMIT_AS),
          .omp_num_threads = Variable("OMP_NUM_THREADS"),
          .omp_proc_bind = Variable("OMP_PROC_BIND"),
          .preloaded = Variable("LD_PRELOAD")};
}

HealthReport ExamineMachine() {
  return {.machine = ReadMachine(),
          .limits = ReadProcessLimits(),
          .accelerators = FindAccelerators(),
          .libraries = LoadedLibraries()};
}

std::vector<Finding> Judge(const HealthReport& report) {
  Findings findings;
  JudgeProcessor(report.machine, findings);
  JudgeMemory(report, findings);
  JudgeProcess(report, findings);
  JudgeAccelerators(report.accelerators, findings);
  std::ranges::stable_sort(findings, std::ranges::greater{}, &Finding::severity);
  return findings;
}

}  // namespace vernier
