// One of several settings that bench times in turns: what the flags say with what its setting
// changes, and that ready to run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/lockstep_process.h"
#include "bench/measurement.h"
#include "bench_options.h"
#include "terminal.h"

namespace vernier {

struct BenchSide {
  std::string name;     // "A", or a rung's
  std::string setting;  // as given
  SessionOptions session;
  Configuration configuration;
  int64_t new_tokens = -1;               // less than 0: nothing was said
  std::string program;                   // of another vernier; empty: this one
  std::vector<std::string> environment;  // "NAME=VALUE": set, the side is a process of its own
};

/// Reads "KEY=VALUE,…" over `base` and the one configuration of its `lists`: the keys of
/// verify/setting.h, batch, program and env. Throws Error{kUsage} for what cannot be read, and for
/// flags that name more than one configuration.
BenchSide ReadSide(const std::string& name, const std::string& setting, const BenchOptions& base,
                   const GridLists& lists);

/// The command line of another vernier that measures this side in lockstep.
std::vector<std::string> LockstepCommand(const BenchSide& side);

/// A side ready to run: its session in this process, or a process.
class RunningSide {
 public:
  /// Throws what keeps the side from running; a process is run once for that.
  RunningSide(const BenchSide& side, Terminal& terminal);

  /// One run; its milliseconds.
  double Run();

  /// What is known of this side after its samples were taken. Called once, last.
  Measurement Finish(Timing timing);

 private:
  double RunProcess();

  Measurement measured_;
  std::string program_;
  std::unique_ptr<LockstepProcess> process_;
  std::unique_ptr<LoadedStreams> streams_;
  std::unique_ptr<Workload> workload_;
};

}  // namespace vernier
