#include "metrics/neighbour_correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "io/npy.h"

namespace vernier {
namespace {

TEST(NeighbourCorrelation, IsHighInPicturesAndNothingInNoise) {
  const Tensor pictures = ReadNpy(VERNIER_TEST_DATA "/goldens/vit/cls_batch2/pixel_values.npy");
  std::mt19937 random(1);
  std::normal_distribution<float> noise;
  std::vector<float> values(2 * 3 * 48 * 48);
  for (float& value : values) value = noise(random);
  // The standard deviation over 13,000 pairs of noise is below 0.01.
  EXPECT_NEAR(NeighbourCorrelation({values.data(), DType::kF32, {2, 3, 48, 48}}), 0, 0.05);
  EXPECT_GT(NeighbourCorrelation(pictures.view()), kLeastPictureCorrelation);
}

TEST(NeighbourCorrelation, IsNotDefinedOfConstantsAndSingleColumns) {
  const std::vector<float> values(8, 1.0f);
  EXPECT_TRUE(std::isnan(NeighbourCorrelation({values.data(), DType::kF32, {2, 4}})));
  EXPECT_TRUE(std::isnan(NeighbourCorrelation({values.data(), DType::kF32, {8, 1}})));
}

}  // namespace
}  // namespace vernier
