#include "verify/tolerance.h"

#include <gmock/gmock.h>

#include <cmath>

namespace vernier {
namespace {

// Values of a given size and of both signs, and between them what cancellation left over.
std::vector<float> ValuesOfSize(float size) {
  std::vector<float> values(4096);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = size * (i % 2 == 0 ? 1.0f : -1.0f) * (i % 64 == 0 ? 1e-6f : 1.0f);
  }
  return values;
}

HeldMetrics Hold(const Tolerance& tolerance, const std::vector<float>& candidate,
                 const std::vector<float>& reference) {
  const Shape shape = {std::ssize(reference)};
  return HoldTo(tolerance, [&](const PairTolerance& pair) {
    return MeasurePair({candidate.data(), DType::kF32, shape},
                       {reference.data(), DType::kF32, shape}, {.tolerance = pair});
  });
}

// The candidate is off by `error`, in the values left over alone.
HeldMetrics HoldLeftOvers(const Tolerance& tolerance, float size, float error) {
  const std::vector<float> reference = ValuesOfSize(size);
  std::vector<float> candidate = reference;
  for (size_t i = 0; i < candidate.size(); i += 64) candidate[i] += error;
  return Hold(tolerance, candidate, reference);
}

TEST(Tolerance, ForgivesWhatRoundingLeavesOfTermsThatCancel) {
  // Ten roundings of the size of the terms: 100 * 2^-24 * 10.
  const HeldMetrics held = HoldLeftOvers({}, 100, 6e-5f);
  EXPECT_EQ(held.metrics.within, 1);
  EXPECT_NEAR(held.tolerance.atol, 1e-5 * 100 * std::sqrt(63.0 / 64), 1e-9);
}

TEST(Tolerance, CountsAFaultOfAThousandthOfTheScale) {
  for (const float size : {1e-2f, 1.0f, 100.0f, 1e4f}) {
    SCOPED_TRACE(size);
    EXPECT_EQ(HoldLeftOvers({}, size, 2e-3f * size).metrics.within, 63.0 / 64);
  }
}

TEST(Tolerance, IsNotWidenedByOneLargeValue) {
  std::vector<float> reference = ValuesOfSize(1);
  reference[1] = 1000;
  std::vector<float> candidate = reference;
  // Within 1e-5 of the largest, and yet wrong by half a per cent.
  candidate[3] += 5e-3f;
  EXPECT_LT(Hold({}, candidate, reference).metrics.within, 1);
}

TEST(Tolerance, StaysAbsoluteWhereValuesAreSmall) {
  EXPECT_EQ(HoldLeftOvers({}, 0.1f, 5e-6f).tolerance.atol, 1e-5);
  EXPECT_EQ(HoldLeftOvers({}, 0.1f, 5e-6f).metrics.within, 1);
}

TEST(Tolerance, IsTakenAsItIsWhereAnAtolWasGiven) {
  const HeldMetrics held = HoldLeftOvers({.pair = {1e-5, 1e-3}, .atol_grows = false}, 100, 6e-5f);
  EXPECT_EQ(held.metrics.within, 63.0 / 64);
  EXPECT_EQ(held.tolerance.atol, 1e-5);
}

TEST(Tolerance, OfValuesThatAreAllNotFiniteIsNone) {
  const std::vector<float> nan(3, std::nanf(""));
  EXPECT_TRUE(std::isnan(Hold({}, nan, nan).metrics.within));
}

}  // namespace
}  // namespace vernier
