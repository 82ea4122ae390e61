#include "bench/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string_view>
#include <vector>

#include "bench/statistics.h"
#include "core/key_value_file.h"

namespace vernier {
namespace {

constexpr size_t kLeastForTrend = 8;   // below, the normal approximation does not hold
constexpr size_t kMostForTrend = 400;  // the test looks at all pairs
constexpr double kSignificant = 0.01;
constexpr double kRelevant = 0.03;
constexpr int kMostCpus = 4096;  // bound of the kernel's own CPU numbers

std::vector<double> Reduced(std::span<const double> samples) {
  if (samples.size() <= kMostForTrend) return {samples.begin(), samples.end()};
  std::vector<double> medians;
  for (size_t i = 0; i < kMostForTrend; ++i) {
    const size_t begin = samples.size() * i / kMostForTrend;
    const size_t end = samples.size() * (i + 1) / kMostForTrend;
    medians.push_back(Median(samples.subspan(begin, end - begin)));
  }
  return medians;
}

// Variance of Kendall's sum, with the correction for groups of equal samples.
double VarianceOfSum(std::span<const double> samples) {
  const auto term = [](double n) { return n * (n - 1) * (2 * n + 5); };
  std::map<double, size_t> groups;
  for (double sample : samples) ++groups[sample];
  double sum = term(static_cast<double>(samples.size()));
  for (const auto& [sample, count] : groups) sum -= term(static_cast<double>(count));
  return sum / 18;
}

bool Counts(const Trend& trend) {
  return trend.p_value < kSignificant && std::abs(trend.change) > kRelevant;
}

std::string Percent(double change) { return fmt::format("{:+.1f} %", change * 100); }

std::string Warning(const Drift& drift) {
  if (!Counts(drift.samples)) return "";
  const std::string moved =
      fmt::format("the samples moved by {} during the measurement", Percent(drift.samples.change));
  const bool same_way = drift.samples.change * drift.calibration.change > 0;
  if (Counts(drift.calibration) && same_way) {
    return fmt::format(
        "{}, and so did a kernel that only the clock can move ({}): the processor changed its "
        "clock; let it settle and measure again",
        moved, Percent(drift.calibration.change));
  }
  return fmt::format(
      "{}, while the processor's clock did not: look for other programs, memory traffic or a "
      "longer --warmup",
      moved);
}

}  // namespace

Trend FindTrend(std::span<const double> samples) {
  const std::vector<double> series = Reduced(samples);
  if (series.size() < kLeastForTrend) return {};
  int64_t sum = 0;
  std::vector<double> slopes;
  slopes.reserve(series.size() * (series.size() - 1) / 2);
  for (size_t i = 0; i < series.size(); ++i) {
    for (size_t j = i + 1; j < series.size(); ++j) {
      sum += (series[j] > series[i]) - (series[j] < series[i]);
      slopes.push_back((series[j] - series[i]) / static_cast<double>(j - i));
    }
  }
  const double variance = VarianceOfSum(series);
  if (sum == 0 || variance <= 0) return {};
  const double corrected = static_cast<double>(std::abs(sum) - 1) / std::sqrt(variance);
  return {.p_value = std::erfc(corrected / std::sqrt(2.0)),
          .change = Median(slopes) * static_cast<double>(series.size() - 1) / Median(series)};
}

Drift JudgeDrift(const DriftEvidence& evidence) {
  Drift drift{.samples = FindTrend(evidence.samples_ms),
              .calibration = FindTrend(evidence.calibration_ms),
              .frequency_before_mhz = evidence.frequency_before_mhz,
              .frequency_after_mhz = evidence.frequency_after_mhz};
  drift.warning = Warning(drift);
  return drift;
}

void RunCalibrationKernel() {
  constexpr int kSteps = 20'000;  // some 25 microseconds
  volatile uint64_t seed = 1;     // keeps the chain from being computed by the compiler
  uint64_t value = seed;
  for (int i = 0; i < kSteps; ++i) value = value * 6364136223846793005u + 1442695040888963407u;
  seed = value;
}

double ReadFrequencyMhz(const std::string& root) {
  double sum = 0;
  int count = 0;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    const std::string khz = ReadFirstLine(
        fmt::format("{}/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", root, cpu));
    if (khz.empty()) break;
    sum += std::strtod(khz.c_str(), nullptr) / 1000;
    ++count;
  }
  if (count > 0) return sum / count;
  std::ifstream cpuinfo(root + "/proc/cpuinfo");
  constexpr std::string_view kClock = "cpu MHz";
  for (std::string line; std::getline(cpuinfo, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(kClock) || colon == std::string::npos) continue;
    sum += std::strtod(line.c_str() + colon + 1, nullptr);
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace vernier
