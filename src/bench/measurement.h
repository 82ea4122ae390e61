// One configuration measured: sessions made, warmed up, timed, and everything that is known about
// the result put together.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/certified.h"
#include "bench/configuration.h"
#include "bench/detection_timing.h"
#include "bench/drift.h"
#include "bench/generation_timing.h"
#include "bench/memory_use.h"
#include "bench/profile.h"
#include "bench/scenario.h"
#include "bench/statistics.h"
#include "bench/timing_loop.h"
#include "bench/trace.h"
#include "bench/workload.h"
#include "vernier/error.h"
#include "vernier/session.h"

namespace vernier {

struct Measurement {
  std::string side;     // "A" or "B" where two settings are compared
  std::string setting;  // what the side changes
  Configuration configuration;
  std::optional<Error> error;  // nothing below is set then
  double load_ms = 0;
  int64_t samples_per_query = 1;  // pictures in one sample
  Timing timing;
  double wall_ms = 0;  // of all samples
  Summary summary;
  std::vector<CertifiedPercentile> certified;
  Drift drift;
  MemoryUse memory;
  SessionMemory planned;  // of all streams
  std::string outputs_sha256;
  bool outputs_repeat = true;
  std::optional<GenerationTiming> generation;  // of models that write
  std::optional<DetectionTiming> detection;    // of detectors, in one stream
  std::optional<ScenarioResult> scenario;
  std::optional<Profile> profile;
  std::optional<Timeline> timeline;

  double throughput_per_s() const;
};

struct MeasureOptions {
  WarmUpRule warm_up = {};
  int runs = 20;
  double min_ms = 0;
  int64_t new_tokens = 0;  // of each answer, for models that write
  const Scenario* scenario = nullptr;
  const Peaks* peaks = nullptr;  // set: a profile is taken
  std::function<void(int done)> progress = {};
};

/// The sessions of one configuration, one per stream.
class LoadedStreams {
 public:
  /// Loads and times it. Throws what sessions throw.
  LoadedStreams(const SessionOptions& base, const Configuration& configuration);

  double load_ms() const { return load_ms_; }
  Session& first() const { return *sessions_[0]; }
  /// One workload per stream.
  std::vector<Workload> Workloads(const WorkloadOptions& options) const;
  SessionMemory memory() const;

 private:
  std::vector<std::unique_ptr<Session>> sessions_;
  double load_ms_ = 0;
};

/// Measures one configuration on sessions made for it. Throws Error{kInterrupted} when there is not
/// one sample.
Measurement Measure(const LoadedStreams& streams, const Configuration& configuration,
                    const MeasureOptions& options);

/// What follows from the samples of `measured.timing` alone.
void Conclude(Measurement& measured);

}  // namespace vernier
