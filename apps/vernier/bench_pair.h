// vernier bench --a … --b …: two settings timed alternately.
#pragma once

#include <string>
#include <vector>

#include "bench/bench_result.h"
#include "bench_options.h"
#include "terminal.h"

namespace vernier {

/// One side of the pair: what the flags say, with what its setting changes.
struct PairSide {
  std::string name;     // "A", "B"
  std::string setting;  // as given
  SessionOptions session;
  Configuration configuration;
  int64_t new_tokens = 0;
  std::string program;  // of another vernier; empty: this process
};

/// Reads "KEY=VALUE,…" over `base`: the keys of verify/setting.h, batch and program. Throws
/// Error{kUsage} for what cannot be read, and for flags that name more than one configuration.
PairSide ReadSide(const std::string& name, const std::string& setting, const BenchOptions& base);

/// The command line of another vernier that measures this side in lockstep.
std::vector<std::string> LockstepCommand(const PairSide& side);

/// Measures both sides into `result`: two runs and their comparison.
void MeasurePair(const BenchOptions& options, Terminal& terminal, BenchResult& result);

}  // namespace vernier
