#include "bench/drift.h"

#include <vector>

#include "support/noise.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using testing::Noise;

// Samples that slow down by `change` from the first to the last.
std::vector<double> Drifting(uint64_t seed, size_t count, double change) {
  Noise noise(seed);
  std::vector<double> samples = noise.Samples(count, 10);
  for (size_t i = 0; i < count; ++i) {
    samples[i] *= 1 + change * static_cast<double>(i) / static_cast<double>(count - 1);
  }
  return samples;
}

// scipy.stats.kendalltau over 0…9 gives tau 1; Mann and Kendall's S is 45, its variance 125.
TEST(Trend, MatchesTheTextbookCase) {
  const std::vector<double> rising = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const Trend trend = FindTrend(rising);
  EXPECT_NEAR(trend.p_value, 8.303e-5, 1e-7);  // 2 (1 - Phi(44 / sqrt(125)))
  EXPECT_NEAR(trend.change, 9 / 5.5, 1e-12);
}

TEST(Trend, IsNoneInAConstantOrShortSeries) {
  EXPECT_EQ(FindTrend(std::vector<double>(50, 3.0)).p_value, 1);
  EXPECT_EQ(FindTrend(std::vector<double>{1, 2, 3, 4, 5, 6, 7}).p_value, 1);
  EXPECT_EQ(FindTrend({}).change, 0);
}

TEST(Trend, FindsTheSizeOfADriftInLongSeries) {
  const Trend trend = FindTrend(Drifting(1, 5000, 0.10));
  EXPECT_LT(trend.p_value, 1e-6);
  EXPECT_NEAR(trend.change, 0.095, 0.02);  // as a part of the median, which drifts too
}

TEST(Drift, BlamesTheClockWhenTheCalibrationKernelMovedToo) {
  const std::vector<double> samples = Drifting(2, 60, 0.15), kernel = Drifting(3, 60, 0.15);
  const Drift drift = JudgeDrift({.samples_ms = samples,
                                  .calibration_ms = kernel,
                                  .frequency_before_mhz = 3700,
                                  .frequency_after_mhz = 3200});
  EXPECT_THAT(drift.warning, HasSubstr("the samples moved by +1"));
  EXPECT_THAT(drift.warning, HasSubstr("the processor changed its clock"));
  EXPECT_EQ(drift.frequency_after_mhz, 3200);
}

TEST(Drift, LooksElsewhereWhenTheClockStayed) {
  Noise noise(4);
  const std::vector<double> samples = Drifting(5, 60, 0.15), kernel = noise.Samples(60, 1);
  EXPECT_THAT(JudgeDrift({.samples_ms = samples, .calibration_ms = kernel}).warning,
              HasSubstr("while the processor's clock did not: look for other programs"));
}

TEST(Drift, KeepsQuietOnSteadyMachines) {
  int warnings = 0;
  for (uint64_t run = 0; run < 200; ++run) {
    Noise noise(run);
    warnings += !JudgeDrift({.samples_ms = noise.Samples(40, 10)}).warning.empty();
  }
  EXPECT_LE(warnings, 2);  // 1 % of 200, and the change must be relevant besides
}

TEST(Drift, KeepsQuietOnADriftThatDoesNotMatter) {
  EXPECT_EQ(JudgeDrift({.samples_ms = Drifting(6, 5000, 0.01)}).warning, "");
}

TEST(Frequency, ComesFromTheGovernorOrElseFromCpuinfo) {
  const ScratchFolder root;
  EXPECT_EQ(ReadFrequencyMhz(root.path()), 0);
  root.Write("proc/cpuinfo", "model name\t: X\ncpu MHz\t\t: 2000.5\n\ncpu MHz\t\t: 3000.5\n");
  EXPECT_DOUBLE_EQ(ReadFrequencyMhz(root.path()), 2500.5);
  root.Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "3700000\n");
  root.Write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3500000\n");
  EXPECT_DOUBLE_EQ(ReadFrequencyMhz(root.path()), 3600);
}

}  // namespace
}  // namespace vernier
