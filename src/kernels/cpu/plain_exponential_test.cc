#include "kernels/cpu/plain_exponential.h"

#include <cmath>
#include <limits>

namespace vernier {
namespace {

TEST(Exponential, IsWithinTwoUlpOfTheTrueValue) {
  double worst = 0;
  for (double x = -86.9; x < 87.9; x += 0.00137) {
    const auto argument = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(argument));
    worst = std::max(worst, std::abs(Exponential(argument) - exact) / exact);
  }
  EXPECT_LE(worst, 2 * std::numeric_limits<float>::epsilon());
  EXPECT_EQ(Exponential(0), 1);
}

TEST(Exponential, VanishesFarBelowAndKeepsNan) {
  for (float x = -87; x > -1e6F; x *= 1.7F) {
    EXPECT_GE(Exponential(x), 0) << x;
    EXPECT_LE(Exponential(x), 1e-37F) << x;
  }
  EXPECT_TRUE(std::isnan(Exponential(NAN)));
}

TEST(Sigmoid, ReachesItsLimits) {
  EXPECT_EQ(Sigmoid(0), 0.5F);
  EXPECT_EQ(Sigmoid(INFINITY), 1);
  EXPECT_EQ(Sigmoid(200), 1);
  EXPECT_LT(Sigmoid(-INFINITY), 1e-37F);
  EXPECT_GE(Sigmoid(-1e30F), 0);
  EXPECT_TRUE(std::isnan(Sigmoid(NAN)));
}

}  // namespace
}  // namespace vernier
