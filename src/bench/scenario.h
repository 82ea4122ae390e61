// The scenarios of the MLPerf inference rules (mlcommons/inference_policies, inference_rules.adoc,
// "Scenarios") that make sense without a server, and what a run under them reports. Figures taken
// here are measured in the manner of the rules and are no MLPerf results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

struct Scenario {
  std::string_view name;
  int64_t samples_per_query = 1;  // offline: those of one run, --batch decides
  double percent = 0;             // of the latency that is reported; 0: throughput is
  int64_t least_samples = 0;      // of one run under the rules
  double least_seconds = 600;     // likewise
};

/// Null for a name that is none.
const Scenario* FindScenario(std::string_view name);

struct ScenarioResult {
  std::string name;
  int64_t samples_per_query = 1;
  int64_t queries = 0;
  int64_t samples = 0;
  std::string metric;
  std::optional<double> value;  // absent where early stopping needs more queries
  std::string unit;
  std::vector<std::string> short_of_rules;
};

/// `queries_ms` are the times of single queries; `wall_ms` that of all.
ScenarioResult JudgeScenario(const Scenario& scenario, int64_t samples_per_query,
                             const std::vector<double>& queries_ms, double wall_ms);

/// "single-stream: 90th percentile latency 12.30 ms", with what the rules ask for beyond it.
std::string InWords(const ScenarioResult& result);

}  // namespace vernier
