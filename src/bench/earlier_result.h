// What an earlier bench command measured, read back from its JSON to compare with.
#pragma once

#include <string>
#include <vector>

#include "bench/bench_result.h"

namespace vernier {

struct EarlierRun {
  Configuration configuration;
  std::vector<double> samples_ms;
  std::string outputs_sha256;  // empty in files of old versions
};

struct EarlierResult {
  std::string file;
  std::string started;  // empty in files of old versions
  std::string model;
  Machine machine;               // what tells machines apart, nothing else
  std::vector<EarlierRun> runs;  // those that did not fail
};

/// Throws Error{kInput} that names the file and the place for anything but such a result.
EarlierResult ReadEarlierResult(const std::string& file);

/// The run of that configuration; null when there is none.
const EarlierRun* FindRun(const EarlierResult& earlier, const Configuration& configuration);

/// In what the two machines differ, in words; empty when nothing is known to.
std::vector<std::string> Differences(const Machine& earlier, const Machine& now);

/// `now` against the earlier run of the same configuration. Older samples are weaker evidence than
/// alternating ones: with a gate, another machine's cannot decide.
SpeedComparison CompareWithEarlier(const EarlierResult& earlier, const EarlierRun& run,
                                   const Measurement& now, const Machine& machine,
                                   std::optional<double> bound);

}  // namespace vernier
