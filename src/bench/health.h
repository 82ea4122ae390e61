// What on this machine helps or hinders, as findings with remedies. Judging is apart from
// looking, so that every finding can be tested without the machine that has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/accelerators.h"
#include "bench/libraries.h"
#include "bench/machine.h"

namespace vernier {

/// Limits and settings of this process.
struct ProcessLimits {
  int64_t open_files = 0;     // 0: unlimited
  int64_t address_bytes = 0;  // 0: unlimited
  std::string omp_num_threads = {};
  std::string omp_proc_bind = {};
  std::string preloaded = {};  // LD_PRELOAD
};

ProcessLimits ReadProcessLimits();

enum class Severity {
  kNote,     // worth knowing
  kProblem,  // costs much speed, or will fail on some inputs
};

/// "note", "problem".
const char* Name(Severity severity);

struct Finding {
  Severity severity;
  std::string what;
  std::string remedy;
};

struct HealthReport {
  Machine machine;
  ProcessLimits limits;
  Accelerators accelerators;
  std::vector<LibraryVersion> libraries;
};

/// Looks at everything above.
HealthReport ExamineMachine();

std::vector<Finding> Judge(const HealthReport& report);

}  // namespace vernier
