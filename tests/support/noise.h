// Random numbers that are the same on every machine, for tests of statistics.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace vernier::testing {

class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed) {}

  /// In [0, 1), by SplitMix64.
  double Uniform() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

  double Normal() {
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

  /// Times as machines have them: a floor, skewed noise of some per cent, a rare slow one.
  double Milliseconds(double floor) {
    const double skewed = floor * (1 + 0.02 * std::abs(Normal()));
    return Uniform() < 0.02 ? skewed * 1.5 : skewed;
  }

  std::vector<double> Samples(size_t count, double floor) {
    std::vector<double> samples(count);
    for (double& sample : samples) sample = Milliseconds(floor);
    return samples;
  }

 private:
  uint64_t state_;
};

}  // namespace vernier::testing
