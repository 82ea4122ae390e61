// Description of the machine that a figure was taken on; goes into every measurement.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json_writer.h"

namespace vernier {

struct Machine {
  std::string cpu_model;
  std::string architecture;      // "x86_64", "aarch64"
  std::string operating_system;  // "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;
  std::string governor;  // empty where the kernel does not show it
  std::vector<std::string> isas;
  int sockets = 0;            // 0: not known
  int cores = 0;              // 0: not known
  int logical_cpus = 0;       // of the whole machine
  int available_threads = 0;  // of this process: affinity and control group
  int64_t memory_bytes = 0;
  int64_t available_memory_bytes = 0;
  int64_t memory_limit_bytes = 0;  // of the control group; 0: none
  int64_t l1_data_bytes = 0;       // 0: not known
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
};

/// What /proc and /sys say; `root` stands for "/" in tests.
Machine ReadMachine(const std::string& root = "");

/// One line for tables: "AMD EPYC 9V45, 2 cores, 15.6 GiB, Linux 6.1".
std::string OneLine(const Machine& machine);

/// The machine as one JSON object.
void WriteJson(const Machine& machine, JsonWriter& json);

}  // namespace vernier
