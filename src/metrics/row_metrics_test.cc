#include "metrics/row_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "io/json.h"
#include "metrics/share_interval.h"

namespace vernier {
namespace {

RowMetrics Rows(const std::vector<float>& candidate, const std::vector<float>& reference,
                int64_t classes) {
  const Shape shape = {static_cast<int64_t>(reference.size()) / classes, classes};
  return MeasureRows({candidate.data(), DType::kF32, shape},
                     {reference.data(), DType::kF32, shape});
}

std::vector<float> Flat(const Json& rows) {
  std::vector<float> values;
  for (const Json& row : rows.items()) {
    for (const Json& value : row.items()) values.push_back(static_cast<float>(value.AsNumber()));
  }
  return values;
}

TEST(RowMetrics, AgreeWithThePublishedProtocolsWorkedExample) {
  const Json golden = Json::ParseFile(VERNIER_TEST_DATA "/metrics/paddleocr_vl_metrics_cases.json");
  const RowMetrics rows = Rows(Flat(golden.GetArray("x")), Flat(golden.GetArray("ref")), 8);
  EXPECT_EQ(rows.rows, 3);
  EXPECT_NEAR(rows.top1, golden.GetNumber("top1_agreement"), 1e-12);
  EXPECT_NEAR(rows.min_cosine, golden.GetNumbers("cosine_rows")[2], 1e-12);
}

TEST(RowMetrics, TakeTheFirstOfEqualScores) {
  const RowMetrics rows = Rows({5, 5, 1}, {5, 4, 1}, 3);
  EXPECT_EQ(rows.top1, 1);
}

TEST(RowMetrics, CountTheFiveBestWhateverTheirOrder) {
  const RowMetrics rows = Rows({5, 6, 3, 4, 2, 1, 0}, {6, 5, 4, 3, 2, 0, 1}, 7);
  EXPECT_EQ(rows.top1, 0);
  EXPECT_EQ(rows.top5, 1);
}

TEST(RowMetrics, CallAFlipBetweenNearlyEqualScoresATie) {
  EXPECT_EQ(Rows({1.0f, 1.01f}, {1.005f, 1.0f}, 2).tie_like_flips, 1);
  EXPECT_EQ(Rows({1.0f, 1.1f}, {2.0f, 1.05f}, 2).tie_like_flips, 1);
  EXPECT_EQ(Rows({1.0f, 2.1f}, {9.0f, 2.0f}, 2).top1, 0);
}

TEST(RowMetrics, LeaveOutRowsWithNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const RowMetrics rows = Rows({nan, 1, 2, 1}, {2, 1, 2, 1}, 2);
  EXPECT_EQ(rows.rows, 1);
  EXPECT_EQ(rows.top1, 1);
}

// The formula of Wilson (1927) in Python: 0.9828059, 0.9986931.
TEST(ShareInterval, IsWilsons) {
  const auto [low, high] = ShareInterval(418.0 / 420, 420);
  EXPECT_NEAR(low, 0.9828059, 1e-7);
  EXPECT_NEAR(high, 0.9986931, 1e-7);
}

TEST(ShareInterval, OfNoSamplesSaysNothing) {
  EXPECT_EQ(ShareInterval(1, 0), (std::pair{0.0, 1.0}));
  EXPECT_DOUBLE_EQ(ShareInterval(1, 10).second, 1);
}

}  // namespace
}  // namespace vernier
