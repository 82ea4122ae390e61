#include "pipeline/results.h"

#include <cmath>

namespace vernier {
namespace {

TEST(TopLabels, FallWithProbabilitiesThatSumToOne) {
  const std::vector<float> logits = {1.0f, 3.0f, 2.0f};
  const auto labels = TopLabels(logits, {"a", "b", ""}, 10);
  ASSERT_EQ(labels.size(), 3u);
  EXPECT_EQ(labels[0].label, "b");
  EXPECT_EQ(labels[1].label, "LABEL_2");
  EXPECT_NEAR(labels[0].probability, 1 / (1 + std::exp(-1.0) + std::exp(-2.0)), 1e-12);
  EXPECT_NEAR(labels[0].probability + labels[1].probability + labels[2].probability, 1, 1e-12);
}

TEST(TopLabels, KeepTheOrderOfEqualOnesAndSurviveHugeLogits) {
  const std::vector<float> logits = {1e38f, 1e38f, -1e38f};
  const auto labels = TopLabels(logits, {}, 2);
  EXPECT_EQ(labels[0].index, 0);
  EXPECT_EQ(labels[1].index, 1);
  EXPECT_DOUBLE_EQ(labels[0].probability, 0.5);
}

TEST(Cosine, IsOneForParallelAndZeroForZeroVectors) {
  const std::vector<float> a = {1, 2, 3}, b = {2, 4, 6}, zero = {0, 0, 0};
  EXPECT_NEAR(Cosine(a, b), 1, 1e-12);
  EXPECT_EQ(Cosine(a, zero), 0);
}

TEST(Stacked, JoinsAlongTheFirstAxisAndRowTakesApart) {
  std::vector<Tensor> parts;
  parts.push_back(Tensor::Zeros(DType::kF32, {1, 2}));
  parts.push_back(Tensor::Zeros(DType::kF32, {2, 2}));
  parts[1].as<float>()[2] = 7;
  const Tensor stacked = Stacked(parts);
  EXPECT_EQ(stacked.shape(), (Shape{3, 2}));
  EXPECT_EQ(Row(stacked, 2).as<float>()[0], 7);
}

}  // namespace
}  // namespace vernier
