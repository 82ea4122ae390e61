// The flags of vernier bench and what they mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/configuration.h"
#include "bench/measurement.h"
#include "flags.h"
#include "session_flags.h"

namespace vernier {

struct BenchOptions {
  SessionFlags session;
  std::string batch;
  std::string dtype = "f32";
  std::string threads;
  std::string streams = "1";
  std::string branches = "serial";
  std::string top_features = "sparse";
  std::string patches;
  int64_t new_tokens = -1;  // not given
  int64_t runs = 0;         // 0: not given
  double min_time_s = 1;
  int64_t warmup = 0;  // 0: until steady
  std::string devices;
  std::string scenario;
  bool profile = false;
  std::string trace;
  std::string side_a;
  std::string side_b;
  std::string ladder;
  std::vector<std::string> rungs;
  std::string against;
  std::string fail_if_slower;
  std::string json;
  bool lockstep = false;

  bool compares_sides() const { return !side_b.empty(); }
  bool climbs() const { return !ladder.empty() || !rungs.empty(); }
  bool profiles() const { return profile || !trace.empty(); }
};

std::vector<Flag> BenchFlags(BenchOptions& options);

/// The lists of all sweep flags. Throws Error{kUsage} naming the flag that cannot be read.
GridLists ReadGrid(const BenchOptions& options);

/// Null without --scenario.
const Scenario* ScenarioOf(const BenchOptions& options);

WarmUpRule WarmUpOf(const BenchOptions& options);
/// Samples at least: what --runs says, else what the scenario needs, else 20.
int RunsOf(const BenchOptions& options);
double MinMsOf(const BenchOptions& options);

/// --fail-if-slower as a part of one: "5%" is 0.05. Throws Error{kUsage} for anything else.
std::optional<double> SlowdownBound(const BenchOptions& options);

/// Tokens of each answer: those asked for (less than 0: nothing was said), else 32. Throws
/// Error{kUsage} where they are asked of a model that writes none.
int64_t NewTokensOf(int64_t asked, const Session& session);

/// Throws Error{kUsage} for flags that cannot be read or used together, before work begins.
void CheckFlags(const BenchOptions& options);

}  // namespace vernier
