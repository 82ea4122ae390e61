#include "bench/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/certified.h"

namespace vernier {
namespace {

constexpr Scenario kScenarios[] = {
    {.name = "single-stream", .samples_per_query = 1, .percent = 90},
    {.name = "multi-stream", .samples_per_query = 8, .percent = 99},
    {.name = "offline", .samples_per_query = 8, .least_samples = 24'576},
};

std::vector<std::string> ShortOf(const Scenario& scenario, const ScenarioResult& result,
                                 double wall_ms) {
  std::vector<std::string> missing;
  if (scenario.percent > 0) {
    const auto least = static_cast<int64_t>(LeastSamples(scenario.percent));
    if (result.queries < least) {
      missing.push_back(fmt::format("{} queries (here {})", least, result.queries));
    }
  }
  if (result.samples < scenario.least_samples) {
    missing.push_back(fmt::format("{} samples (here {})", scenario.least_samples, result.samples));
  }
  if (wall_ms < scenario.least_seconds * 1000) {
    missing.push_back(
        fmt::format("{:g} s of queries (here {:.1f})", scenario.least_seconds, wall_ms / 1000));
  }
  return missing;
}

}  // namespace

const Scenario* FindScenario(std::string_view name) {
  const auto found = std::ranges::find(kScenarios, name, &Scenario::name);
  return found == std::end(kScenarios) ? nullptr : found;
}

ScenarioResult JudgeScenario(const Scenario& scenario, int64_t samples_per_query,
                             const std::vector<double>& queries_ms, double wall_ms) {
  ScenarioResult result{.name = std::string(scenario.name),
                        .samples_per_query = samples_per_query,
                        .queries = static_cast<int64_t>(queries_ms.size())};
  result.samples = result.queries * samples_per_query;
  if (scenario.percent > 0) {
    std::vector<double> sorted = queries_ms;
    std::ranges::sort(sorted);
    result.metric =
        fmt::format("{:g}th percentile latency, early-stopping estimate", scenario.percent);
    result.value = Certify(sorted, scenario.percent).at_most_ms;
    result.unit = "ms";
  } else {
    result.metric = "throughput";
    result.value = static_cast<double>(result.samples) * 1000 / wall_ms;
    result.unit = "samples/s";
  }
  result.short_of_rules = ShortOf(scenario, result, wall_ms);
  return result;
}

std::string InWords(const ScenarioResult& result) {
  std::string words = fmt::format("{}: {} ", result.name, result.metric);
  words +=
      result.value ? fmt::format("{:.2f} {}", *result.value, result.unit) : "needs more queries";
  words +=
      fmt::format(" ({} quer{} of {} sample{})", result.queries, result.queries == 1 ? "y" : "ies",
                  result.samples_per_query, result.samples_per_query == 1 ? "" : "s");
  if (result.short_of_rules.empty()) return words;
  words += "; the MLPerf rules ask for";
  for (size_t i = 0; i < result.short_of_rules.size(); ++i) {
    words += (i == 0 ? " " : ", ") + result.short_of_rules[i];
  }
  return words;
}

}  // namespace vernier
