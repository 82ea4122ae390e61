// Runs a program and collects what it wrote and how it ended.
#pragma once

#include <string>
#include <vector>

namespace vernier {

struct SpawnOptions {
  std::vector<std::string> environment = {};  // "NAME=value", in addition to the present one
  std::string standard_output = {};           // a file to open instead of collecting
  int signal_after_ms = 0;                    // > 0: send SIGINT after that time
};

struct SpawnResult {
  int exit_code = -1;  // 128 + N when signal N ended it
  std::string output;
  std::string errors;

  std::string LastErrorLine() const;
};

SpawnResult Spawn(const std::vector<std::string>& command, const SpawnOptions& options = {});

}  // namespace vernier
