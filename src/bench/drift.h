// Did the machine change its speed during a measurement? A trend test on the samples in their
// order, the same test on a small calibration kernel that was timed between them, and the clock
// frequency where the kernel shows it. Judging is pure; only ReadFrequencyMhz looks at the machine.
#pragma once

#include <span>
#include <string>

namespace vernier {

/// Mann and Kendall's test for a trend (normal approximation, ties corrected) with Theil and Sen's
/// slope as its size. Long series are first reduced to medians of equal stretches.
struct Trend {
  double p_value = 1;  // two-sided; 1 with fewer than 8 samples
  double change = 0;   // from the first sample to the last, as a part of the median
};
Trend FindTrend(std::span<const double> samples);

struct DriftEvidence {
  std::span<const double> samples_ms;
  std::span<const double> calibration_ms;  // may be empty
  double frequency_before_mhz = 0;         // 0: not known
  double frequency_after_mhz = 0;
};

struct Drift {
  Trend samples;
  Trend calibration;
  double frequency_before_mhz = 0;
  double frequency_after_mhz = 0;
  std::string warning;  // empty: none was found
};

/// A trend counts when chance would show it less than once in a hundred runs and it moves the
/// samples by more than 3 %.
Drift JudgeDrift(const DriftEvidence& evidence);

/// A fixed chain of dependent multiplications, in registers alone: its time is the core's clock.
void RunCalibrationKernel();

/// Mean of the processors' present clocks; 0 where the kernel does not show them. `root` stands for
/// "/" in tests.
double ReadFrequencyMhz(const std::string& root = "");

}  // namespace vernier
