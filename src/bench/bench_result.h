// The result of one bench command, and the same as JSON (docs/reference/bench-json.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/ladder.h"
#include "bench/machine.h"
#include "bench/measurement.h"
#include "bench/speed_ratio.h"

namespace vernier {

/// How far a comparison can be trusted, from the strongest down.
enum class Evidence { kAlternating, kOtherTime, kOtherMachine };
/// "alternating", "other time", "other machine".
const char* Name(Evidence evidence);

struct SpeedComparison {
  std::string a;  // what is compared, in words
  std::string b;
  Evidence evidence = Evidence::kAlternating;
  double a_median_ms = 0;
  double b_median_ms = 0;
  SpeedRatio ratio;
  std::optional<bool> same_outputs;  // bytes; not known of another program
  double bound = 0;                  // of the gate
  std::optional<SpeedGate> gate;
};

struct BenchResult {
  std::string command;
  std::string started;  // UTC, ISO 8601
  std::string model;
  std::string device;
  bool complete = false;
  WarmUpRule warm_up;
  Machine machine;
  std::vector<Measurement> runs;
  std::vector<SpeedComparison> comparisons;
  std::vector<Ladder> ladders;  // one per batch
};

/// Now as "2026-11-21T14:00:00Z".
std::string UtcNow();

std::string ToJson(const BenchResult& result);

}  // namespace vernier
