#include "report/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace vernier {
namespace {

size_t Total(const std::vector<Bin>& bins) {
  return std::accumulate(bins.begin(), bins.end(), size_t{0},
                         [](size_t sum, const Bin& bin) { return sum + bin.count; });
}

TEST(Histogram, CountsEveryFiniteValueOnce) {
  const std::vector<double> values = {1, 2, 2, 3, 3, 3, 4, 4, 5, std::nan(""), 1000};
  EXPECT_EQ(Total(Histogram(values)), 10u);
}

TEST(Histogram, CountsAFarOutlierInTheLastBinWithoutStretchingIt) {
  std::vector<double> values(100);
  std::iota(values.begin(), values.end(), 0.0);
  values.push_back(1e9);
  const auto bins = Histogram(values);
  EXPECT_LT(bins.back().high, 1000);
  EXPECT_EQ(Total(bins), 101u);
}

TEST(Histogram, OfEqualValuesIsOneBin) {
  EXPECT_EQ(Histogram(std::vector<double>(7, 3.5)).size(), 1u);
  EXPECT_TRUE(Histogram({}).empty());
}

}  // namespace
}  // namespace vernier
