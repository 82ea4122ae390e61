#include "runtime/schedule.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace vernier {
namespace {

// Even phases are the trunk's and odd ones the branches'; some may have no steps.
std::vector<int> PhasesOf(std::span<const StepToPlace> steps) {
  std::vector<int> phases;
  for (const StepToPlace& step : steps) {
    const int kind = step.branch == 0 ? 0 : 1;
    int phase = kind;
    for (int predecessor : step.predecessors) {
      const int before = phases[static_cast<size_t>(predecessor)];
      phase = std::max(phase, before % 2 == kind ? before : before + 1);
    }
    phases.push_back(phase);
  }
  return phases;
}

// Numbers the phases that have steps from 0 on.
void CloseGaps(std::vector<int>& phases) {
  std::map<int, int> numbers;
  for (int phase : phases) numbers.emplace(phase, 0);
  int next = 0;
  for (auto& [phase, number] : numbers) number = next++;
  for (int& phase : phases) phase = numbers.at(phase);
}

struct Lanes {
  std::map<int, int> of_branch;
  std::vector<int> threads;
  double end = 0;
};

// `loads` shared out by `threads`, at least one each, the next always to the lane that ends last.
std::vector<int> ShareThreads(const std::vector<double>& loads, int threads) {
  std::vector<int> shares(loads.size(), 1);
  for (int left = threads - static_cast<int>(loads.size()); left > 0; --left) {
    const auto time = [&](size_t lane) { return loads[lane] / shares[lane]; };
    size_t last = 0;
    for (size_t lane = 1; lane < loads.size(); ++lane) {
      if (time(lane) > time(last)) last = lane;
    }
    ++shares[last];
  }
  return shares;
}

// `branches` are costliest first.
Lanes LanesFor(const std::vector<std::pair<int, double>>& branches, int lanes, int threads) {
  Lanes result;
  std::vector<double> loads(static_cast<size_t>(lanes));
  for (const auto& [branch, cost] : branches) {
    const auto least = std::ranges::min_element(loads);
    *least += cost;
    result.of_branch[branch] = static_cast<int>(least - loads.begin());
  }
  result.threads = ShareThreads(loads, threads);
  for (size_t lane = 0; lane < loads.size(); ++lane) {
    result.end = std::max(result.end, loads[lane] / result.threads[lane]);
  }
  return result;
}

Lanes BestLanes(const std::map<int, double>& costs, int threads) {
  std::vector<std::pair<int, double>> branches(costs.begin(), costs.end());
  std::ranges::stable_sort(branches, std::ranges::greater(), &std::pair<int, double>::second);
  const int most = std::min(threads, static_cast<int>(branches.size()));
  if (most == 1) return LanesFor(branches, 1, threads);
  Lanes best{.end = std::numeric_limits<double>::infinity()};
  for (int lanes = most; lanes >= 2; --lanes) {  // more lanes have less to wait for in each step
    Lanes found = LanesFor(branches, lanes, threads);
    if (found.end < best.end) best = std::move(found);
  }
  return best;
}

}  // namespace

Schedule SerialSchedule(int steps, int threads) {
  Schedule schedule{.lane_threads = {{threads}},
                    .places = std::vector<StepPlace>(static_cast<size_t>(steps)),
                    .order = std::vector<int>(static_cast<size_t>(steps))};
  std::iota(schedule.order.begin(), schedule.order.end(), 0);
  return schedule;
}

Schedule ParallelSchedule(std::span<const StepToPlace> steps, int threads) {
  Schedule schedule = SerialSchedule(static_cast<int>(steps.size()), threads);
  std::vector<int> phases = PhasesOf(steps);
  CloseGaps(phases);
  const int count = phases.empty() ? 0 : std::ranges::max(phases) + 1;
  schedule.lane_threads.clear();
  for (int phase = 0; phase < count; ++phase) {
    std::map<int, double> costs;
    for (size_t i = 0; i < steps.size(); ++i) {
      if (phases[i] == phase) costs[steps[i].branch] += steps[i].cost;
    }
    const Lanes lanes = BestLanes(costs, threads);
    schedule.lane_threads.push_back(lanes.threads);
    for (size_t i = 0; i < steps.size(); ++i) {
      if (phases[i] == phase) {
        schedule.places[i] = {phase, lanes.of_branch.at(steps[i].branch)};
      }
    }
  }
  std::ranges::stable_sort(schedule.order, {},
                           [&](int step) { return phases[static_cast<size_t>(step)]; });
  return schedule;
}

}  // namespace vernier
